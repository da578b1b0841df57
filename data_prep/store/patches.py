"""Patches of one or several files, in any layout, as one long array with a row table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.gathering import gather
from data_prep.store.part import Part, block_length


class Patches:
    """`len`, `[i]`, `read`, `take`, `.rows` over patches on disk; made by `open_patches`, opened lazily.

    `.rows`: DataFrame of `ROW_COLUMNS` under a RangeIndex. `.size`: (height, width) in pixels. `.mask_shape`: shape
    of one mask, () where there are none. `.origin`: the original's entries and dtypes, for the way back. `.block`: how
    many patches to read at once, by their size. `.attributes`: the JSON texts of their making on which all files
    agree. Reading is safe after a fork and from several threads. A context manager; `close` is otherwise enough.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        rows: pd.DataFrame,
        origin: pd.DataFrame,
        size: tuple[int, int],
        mask_shape: tuple[int, ...],
        flip: np.ndarray,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self.rows, self.origin, self.size, self.mask_shape = rows, origin, size, mask_shape
        self.block = block_length(size)
        self.attributes = dict(attributes or {})
        self._parts = list(parts)
        self._firsts = np.array([part.first for part in parts])
        self._flip = flip

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> np.ndarray:
        if not -len(self) <= index < len(self):
            raise IndexError(f"patch {index} of {len(self)}")
        index %= len(self)
        return self.read(index, index + 1)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def files(self) -> list[Path]:
        """The files that the patches lie in, in the order they were given."""
        return list(dict.fromkeys(part.file.path for part in self._parts))

    def close(self) -> None:
        """Close the files; reading afterwards opens them again."""
        for part in self._parts:
            part.file.close()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Patches `start` to `stop` (clipped to the end) as (n, h, w, 3) uint8; `InputError` on damaged data."""
        start, stop = self._clip(start, stop)
        out = np.empty((stop - start, *self.size, 3), np.uint8)
        self._read_into(out, start)
        return out

    def _read_into(self, out: np.ndarray, start: int) -> None:
        stop = start + len(out)
        for part, low, high in self._overlaps(start, stop):
            part.read_into(out[low - start : high - start], low - part.first)
        _swap_channels(out, self._flip[start:stop])

    def take(self, indices: Any) -> np.ndarray:
        """Patches `indices` (n,) in that order as (n, h, w, 3) uint8, duplicates allowed.

        Neighbors are read in blocks, so indices shuffled within a window cost little more than `read`.
        """
        return gather(indices, len(self), (*self.size, 3), np.dtype(np.uint8), self._read_into)

    def read_masks(self, start: int, stop: int) -> np.ndarray:
        """Nuclei masks of rows `start` to `stop` as (n, *mask_shape) uint16; rows without a mask are 0.

        `mask_shape` is (h, w) for label maps and (h, w, 6) for PanNuke's. `InputError` where no row has one.
        """
        self._require_masks()
        start, stop = self._clip(start, stop)
        out = np.empty((stop - start, *self.mask_shape), np.uint16)
        self._read_masks_into(out, start)
        return out

    def take_masks(self, indices: Any) -> np.ndarray:
        """Masks of the rows `indices` (n,) in that order, read in blocks as by `take`, else as `read_masks`."""
        self._require_masks()
        return gather(indices, len(self), self.mask_shape, np.dtype(np.uint16), self._read_masks_into)

    def _require_masks(self) -> None:
        if not self.mask_shape:
            raise InputError(f"{self._parts[0].file.path}: the store has no masks; segment the nuclei first")

    def _read_masks_into(self, out: np.ndarray, start: int) -> None:
        out.fill(0)
        for part, low, high in self._overlaps(start, start + len(out)):
            part.read_masks_into(out[low - start : high - start], low - part.first)

    def _clip(self, start: int, stop: int) -> tuple[int, int]:
        if start < 0 or stop < start:
            raise IndexError(f"patches {start} to {stop} of {len(self)}")
        return min(start, len(self)), min(stop, len(self))

    def _overlaps(self, start: int, stop: int) -> list[tuple[Part, int, int]]:
        if start == stop:
            return []
        first = int(np.searchsorted(self._firsts, start, side="right")) - 1
        last = int(np.searchsorted(self._firsts, stop, side="left"))
        spans = [(part, max(start, part.first), min(stop, part.first + part.count)) for part in self._parts[first:last]]
        return [span for span in spans if span[1] < span[2]]


def _swap_channels(patches: np.ndarray, which: np.ndarray) -> None:
    """Swap red and blue in place in `patches[which]`."""
    if which.all():
        lines = patches.reshape(-1, patches.shape[2], 3)
        if lines.size:
            cv2.cvtColor(lines, cv2.COLOR_RGB2BGR, dst=lines)
    elif which.any():
        patches[which] = patches[which][..., ::-1]
