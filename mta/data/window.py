"""Rows of a store in an order of their own, read from disk in the store's order."""

import math
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from typing import Any

import numpy as np

GAP = 4  # reading a few unwanted rows costs less than one more call into HDF5
PIECE = 64  # rows read at once, fewer where they are large:
PIECE_BYTES = 2 * 2**20  # few, to stay in the caches on their way into the window


class Windows:
    """Patches or embeddings in a given order, read by whole windows of it.

    Rows that are shuffled within a window lie far apart in the file for each batch, but not for the window: it
    is read once, in the order of the file. One window is in memory, that which was asked for last; of a batch across
    a border the first part is copied before the next window is read into the same memory. New memory costs more time
    than reading does.

    Args:
        store: open store with `read(start, stop)`.
        window: positions a window.
        shape: of what it gives for a row.
        dtype: of its numbers.
    """

    def __init__(self, store: Any, window: int, shape: tuple[int, ...], dtype: Any) -> None:
        self._store, self._window, self._shape, self._dtype = store, window, shape, np.dtype(dtype)
        self._piece = min(PIECE, max(1, PIECE_BYTES // (math.prod(shape) * self._dtype.itemsize)))
        self._memory = np.empty((0, *shape), self._dtype)
        self.start(np.empty(0, int))

    def start(self, order: np.ndarray) -> None:
        """Serve the rows `order` (n,) from now on."""
        self._order, self._number = order, -1

    def between(self, start: int, stop: int) -> np.ndarray:
        """A copy of what lies at positions `start` to `stop` of the order, (n, *shape)."""
        found = np.empty((stop - start, *self._shape), self._dtype)
        for number in range(start // self._window, -(-stop // self._window)):
            first = number * self._window
            low, high = max(start, first), min(stop, first + self._window)
            found[low - start : high - start] = self._of(number)[low - first : high - first]
        return found

    def _of(self, number: int) -> np.ndarray:
        """What window `number` holds, in its order."""
        if number != self._number:
            rows = self._order[number * self._window : (number + 1) * self._window]
            if len(rows) > len(self._memory):
                self._memory = _memory_for((min(self._window, len(self._order)), *self._shape), self._dtype)
            self._number = -1  # should reading fail, there is nothing in memory
            self._read(rows, self._memory)
            self._number = number
        return self._memory

    def _read(self, rows: np.ndarray, window: np.ndarray) -> None:
        places = np.argsort(rows, kind="stable")
        for run in np.split(places, np.flatnonzero(np.diff(rows[places]) > GAP) + 1):
            for start in range(0, len(run), self._piece):
                piece = run[start : start + self._piece]
                first, last = rows[piece[0]], rows[piece[-1]]
                window[piece] = self._store.read(int(first), int(last) + 1)[rows[piece] - first]


def _memory_for(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """New memory of `shape`.

    Not from NumPy, which asks for huge pages: the first touch of 256 MiB of them took from 0.04 to 0.9 s of CPU time on
    a virtual machine, and with small pages always 0.3 s.
    """
    size = math.prod(shape) * dtype.itemsize
    return np.frombuffer(mmap(-1, size, MAP_PRIVATE | MAP_ANONYMOUS), dtype).reshape(shape)
