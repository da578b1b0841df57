"""An HDF5 file being written that survives a full disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from data_prep.files import explain_write_failure, replacing

_SLACK = 1 << 20


class Output:
    """An open HDF5 `file`; whatever is written to it is written inside `writing`."""

    def __init__(self, path: Path, temporary: Path, libver: tuple[str, str] | None) -> None:
        self._path, self._temporary = path, temporary
        self.file = h5py.File(temporary, "w", libver=libver)

    @contextmanager
    def writing(self, size: int) -> Iterator[None]:
        """Claim disk space for `size` bytes and the closing metadata; failures are one clear `InputError`.

        HDF5 cannot recover from a failed write (closing the file fails again, at times with a crash), while
        a failed reservation is an ordinary error. What is claimed and not used is cut off in the end.
        """
        try:
            if hasattr(os, "posix_fallocate"):
                with open(self._temporary, "rb+") as file:
                    os.posix_fallocate(file.fileno(), self.file.id.get_filesize(), size + _SLACK)
            yield
        except (OSError, RuntimeError) as error:
            raise explain_write_failure(self._path, OSError(*error.args)) from error

    def finish(self) -> None:
        """Write what is still in memory, close, and cut the file to what HDF5 uses."""
        with self.writing(0):
            self.file.flush()
            used = self.file.id.get_filesize()
            self.file.close()
            os.truncate(self._temporary, used)

    def abandon(self) -> None:
        """Close whatever state the file is in; the first error is the one to report."""
        with suppress(OSError, RuntimeError):
            self.file.close()


@contextmanager
def hdf5_output(path: str | Path, libver: tuple[str, str] | None = None, durable: bool = True) -> Iterator[Output]:
    """Yield an `Output` that becomes `path` when the block ends well (`durable` as in `replacing`), else nothing.

    `libver`: oldest and newest HDF5 format to use; None for the oldest, which every program reads.
    """
    with replacing(path, durable) as temporary:
        output = Output(Path(path), temporary, libver)
        try:
            yield output
            output.finish()
        finally:
            output.abandon()
