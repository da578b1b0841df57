"""The embeddings of many slides as one long array with a row table."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from data_prep.embeddings.pool import FilePool
from data_prep.embeddings.slide_file import FEATURES
from data_prep.errors import InputError
from data_prep.store.gathering import gather
from data_prep.store.handle import DAMAGE

OPEN_FILES = 64


@dataclass(frozen=True)
class Content:
    """What `Embeddings` hold beside their numbers.

    `counts`: patches of each file. `width`: numbers of an embedding. `rows`, `concepts`: a line a patch. `encoder`:
    what made the embeddings, as their files say, or "".
    """

    paths: list[Path]
    counts: list[int]
    width: int
    rows: pd.DataFrame
    concepts: pd.DataFrame
    encoder: str


class Embeddings:
    """`len`, `read`, `take`, `.rows`, `.concepts` over embeddings on disk; made by `open_embeddings`, opened lazily.

    `.rows`: DataFrame of `ROW_COLUMNS` under a RangeIndex, names as categories, whole numbers as small as they fit: it
    costs some 30 bytes a row. `.concepts`: float64 columns with `attrs["units"]`, NaN = absent. `.width`: numbers of an
    embedding. `.encoder`: what made them, or "". `.attributes`: empty, as those of a plain store. At most 64 files are
    open at a time. Reading is safe after a fork and from several threads. A context manager; `close` is otherwise
    enough.
    """

    def __init__(self, content: Content) -> None:
        self.rows, self.concepts = content.rows, content.concepts
        self.width, self.encoder = content.width, content.encoder
        self.attributes: dict[str, str] = {}
        self._pool = FilePool(content.paths, OPEN_FILES)
        self._firsts = np.concatenate([[0], np.cumsum(content.counts)])
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def files(self) -> list[Path]:
        """The features files, in the order of the rows."""
        return list(self._pool.paths)

    def close(self) -> None:
        """Close the files; reading afterwards opens them again."""
        with self._lock:
            self._pool.close()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Embeddings of rows `start` to `stop` (clipped to the end) as (n, width) float32.

        Raises `InputError` where a file is damaged, has changed, or holds a number that is not finite.
        """
        if start < 0 or stop < start:
            raise IndexError(f"embeddings {start} to {stop} of {len(self)}")
        out = np.empty((max(0, min(stop, len(self)) - start), self.width), np.float32)
        self._read_into(out, start)
        return out

    def take(self, indices: Any) -> np.ndarray:
        """Embeddings of the rows `indices` (n,) in that order as (n, width) float32, duplicates allowed.

        Neighbours are read in blocks; raises as `read` does.
        """
        return gather(indices, len(self), (self.width,), np.dtype(np.float32), self._read_into)

    def _read_into(self, out: np.ndarray, start: int) -> None:
        stop = start + len(out)
        number = int(np.searchsorted(self._firsts, start, side="right")) - 1
        while start < stop:
            first, end = int(self._firsts[number]), min(stop, int(self._firsts[number + 1]))
            part = out[len(out) - (stop - start) :][: end - start]
            self._read_file(number, part, start - first)
            _require_finite(part, self._pool.paths[number], start - first)
            number, start = number + 1, end

    def _read_file(self, number: int, out: np.ndarray, start: int) -> None:
        place = np.s_[start : start + len(out)]
        try:
            with self._lock:
                dataset = self._pool.dataset(number, FEATURES)
                # NumPy widens float16 several times as fast as HDF5 does.
                out[:] = dataset[0, place] if dataset.ndim == 3 else dataset[place]
        except DAMAGE as error:
            path = self._pool.paths[number]
            raise InputError(f"{path}: features cannot be read ({error}); embed this slide again") from error


def _require_finite(values: np.ndarray, path: Path, start: int) -> None:
    if not np.isfinite(values).all():
        row = start + int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise InputError(f"{path}: the features of patch {row} (from 0) are not all finite; embed this slide again")


def categories(values: Sequence[str], counts: Sequence[int]) -> pd.Categorical:
    """`values`, each repeated as often as `counts` says, as categories with the smallest codes that do."""
    names, codes = np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)
    return pd.Categorical.from_codes(np.repeat(codes, counts), categories=pd.Index(names.tolist(), dtype="str"))
