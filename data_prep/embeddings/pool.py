"""Open files, a limited number of them at a time."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import h5py

from data_prep.store.handle import LazyFile


class FilePool:
    """The files `paths`, in their order, of which the `limit` that were used last are open.

    A slide that is read in blocks one after the other is opened once for all of them; thousands of slides would need
    more handles than a process may have.
    """

    def __init__(self, paths: Sequence[Path], limit: int) -> None:
        self.paths = list(paths)
        self._files = [LazyFile(path) for path in paths]
        self._limit = limit
        self._used: OrderedDict[int, None] = OrderedDict()

    def dataset(self, number: int, name: str) -> h5py.Dataset:
        """The open dataset `name` of file `number`; valid until `limit` others were asked for."""
        self._used[number] = None
        self._used.move_to_end(number)
        if len(self._used) > self._limit:
            oldest, _ = self._used.popitem(last=False)
            self._files[oldest].close()
        return self._files[number].dataset(name)

    def close(self) -> None:
        """Close all; reading afterwards opens them again."""
        for number in self._used:
            self._files[number].close()
        self._used.clear()
