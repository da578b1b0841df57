"""Rows of a store in an order of their own, read from disk in the store's order."""

from typing import Any

import numpy as np

GAP = 4  # reading a few unwanted rows costs less than one more call into HDF5
PIECE = 64  # rows read at once: few, to stay in the caches on their way into the window


class Windows:
    """Patches or embeddings in a given order, read by whole windows of it.

    Rows that are shuffled within a window lie far apart in the file for each batch, but not for the window: it
    is read once, in the order of the file. Two windows are in memory at most, the one that was asked for last and the
    one before it, which serves a batch across their border. Their memory is used again, as new memory costs more time
    than reading does.

    Args:
        store: open store with `read(start, stop)`.
        window: positions a window.
        shape: of what it gives for a row.
        dtype: of its numbers.
    """

    def __init__(self, store: Any, window: int, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        self._store, self._window, self._shape, self._dtype = store, window, shape, dtype
        self._buffers: list[np.ndarray] = []
        self.start(np.empty(0, int))

    def start(self, order: np.ndarray) -> None:
        """Serve the rows `order` (n,) from now on."""
        self._order = order
        self._kept: dict[int, np.ndarray] = {}

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
        if number in self._kept:
            self._kept[number] = self._kept.pop(number)  # the last is the one that was asked for last
            return self._kept[number]
        for old in list(self._kept)[:-1]:
            del self._kept[old]
        rows = self._order[number * self._window : (number + 1) * self._window]
        buffer = self._free_buffer(len(rows))
        self._read(rows, buffer)
        self._kept[number] = buffer
        return buffer

    def _free_buffer(self, count: int) -> np.ndarray:
        """Memory for `count` rows that no kept window is in."""
        used = [window.base for window in self._kept.values()]
        free = [buffer for buffer in self._buffers if not any(buffer is base for base in used)]
        if not free:
            free = [np.empty((self._window, *self._shape), self._dtype)]
            self._buffers += free
        return free[0][:count]

    def _read(self, rows: np.ndarray, window: np.ndarray) -> None:
        places = np.argsort(rows, kind="stable")
        for run in np.split(places, np.flatnonzero(np.diff(rows[places]) > GAP) + 1):
            for start in range(0, len(run), PIECE):
                piece = run[start : start + PIECE]
                first, last = rows[piece[0]], rows[piece[-1]]
                window[piece] = self._store.read(int(first), int(last) + 1)[rows[piece] - first]
