"""Activation vectors on disk, read a block at a time, so that memory does not grow with their number."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from data_prep.files import explain_write_failure, make_folder

BLOCK = 4096
_FLOAT = np.dtype(np.float32)


class Vectors:
    """Rows (n, C) float32 in a nameless temporary file in `folder`, gone when closed; a context manager.

    They should be added in mixed order: a block is what an update of the parts sees. `width`: C.
    """

    def __init__(self, folder: Path, width: int) -> None:
        make_folder(folder)
        self._file, self._folder = tempfile.TemporaryFile(dir=folder), folder  # noqa: SIM115 (closed by `__exit__`)
        self.width, self._count = width, 0

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, rows: np.ndarray) -> None:
        """Append `rows` (n, C); `InputError` where the disk is full."""
        try:
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(rows, _FLOAT).data)
            self._file.flush()
        except OSError as error:
            raise explain_write_failure(self._folder, error) from error
        self._count += len(rows)

    def blocks(self, seed: int | None = None, size: int = BLOCK) -> Iterator[np.ndarray]:
        """All rows, `size` at a time (the last fewer), in order or in a random order of blocks by `seed`."""
        starts = np.arange(0, self._count, size)
        if seed is not None:
            starts = np.random.default_rng(seed).permutation(starts)
        for start in starts.tolist():
            count = min(size, self._count - start)
            self._file.seek(start * self.width * _FLOAT.itemsize)
            yield np.frombuffer(self._file.read(count * self.width * _FLOAT.itemsize), _FLOAT).reshape(-1, self.width)
