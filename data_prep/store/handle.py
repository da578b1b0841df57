"""An HDF5 file opened when first needed, once in every process."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from data_prep.errors import InputError
from data_prep.store.guard import own_dataset, require_own

# h5py has no error of its own for damage: it raises whatever the broken bytes lead to.
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError)


def open_hdf5(path: Path) -> h5py.File:
    """Open `path` for reading; `InputError` where it is missing, a folder, truncated or no HDF5 file."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a patch file (.h5)")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the path")
    try:
        return h5py.File(path, "r", rdcc_nbytes=0)
    except OSError as error:
        raise InputError(f"{path}: {_reason(path, error)}") from error


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """`path` opened for a look at its structure.

    What points outside the file (`require_own`) is an `InputError`, and so is damage that only shows in its parts.
    """
    with open_hdf5(path) as file:
        try:
            require_own(file)
            yield file
        except DAMAGE as error:
            raise InputError(f"{path}: {_damage(error)}") from error


def _damage(error: Exception) -> str:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return f"the HDF5 file is damaged ({reason}); copy it or make it again"


def _reason(path: Path, error: OSError) -> str:
    text = str(error)
    if "truncated" in text:
        return "the file is truncated; copy it or make it again"
    if isinstance(error, PermissionError) or "Permission denied" in text:
        return "the file may not be read; change its permissions"
    if not h5py.is_hdf5(path):
        return _other_kind(path)
    return _damage(error)


def _other_kind(path: Path) -> str:
    if path.suffix.lower() == ".csv":
        return f"a table, not a patch store; convert it first: python -m data_prep convert {path} OUT.h5"
    return "not an HDF5 file; give a patch store (.h5), or make one with python -m data_prep convert"


class LazyFile:
    """A file whose handle belongs to one process: a forked worker opens its own, threads share one.

    h5py serializes the calls of threads by itself; the lock here only keeps two from opening at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._file: h5py.File | None = None
        self._datasets: dict[str, h5py.Dataset] = {}

    def dataset(self, name: str) -> h5py.Dataset:
        """The open dataset `name`; a few hundred stay open, since opening one costs as much as reading it."""
        with self._lock:
            if self._file is None or self._owner != os.getpid():
                self._file, self._owner, self._datasets = open_hdf5(self.path), os.getpid(), {}
            if name not in self._datasets:
                if len(self._datasets) >= 256:
                    self._datasets.clear()
                self._datasets[name] = self._own(self._file, name)
            return self._datasets[name]

    def _own(self, file: h5py.File, name: str) -> h5py.Dataset:
        dataset = own_dataset(file, name)
        if dataset is None:
            raise InputError(f"{self.path}: the dataset {name} is gone; the file has changed since it was opened")
        return dataset

    def close(self) -> None:
        """Close the handle of this process; the next use opens it again."""
        with self._lock:
            if self._file is not None and self._owner == os.getpid():
                self._datasets.clear()
                self._file.close()
            self._file = None
