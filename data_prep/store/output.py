"""An HDF5 file being written that survives a full disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
from h5py import h5f, h5p

from data_prep.files import explain_write_failure, replacing

_SLACK = 1 << 20


class Output:
    """An open HDF5 `file`; whatever is written to it is written inside `writing`."""

    def __init__(self, path: Path, temporary: Path, checked: bool) -> None:
        self._path, self._temporary = path, temporary
        self.file = _checked_file(temporary) if checked else h5py.File(temporary, "w")

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
def hdf5_output(path: str | Path, checked: bool = False, durable: bool = True) -> Iterator[Output]:
    """Yield an `Output` that becomes `path` when the block ends well (`durable` as in `replacing`), else nothing.

    `checked`: in the HDF5 1.10 format, whose structure has checksums; else in the oldest, which every program reads.
    """
    with replacing(path, durable) as temporary:
        output = Output(Path(path), temporary, checked)
        try:
            yield output
            output.finish()
        finally:
            output.abandon()


def _checked_file(path: Path) -> h5py.File:
    """A new file in the HDF5 1.10 format, without the times that would make two equal files differ."""
    access, creation = h5p.create(h5p.FILE_ACCESS), h5p.create(h5p.FILE_CREATE)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    creation.set_obj_track_times(False)
    return h5py.File(h5f.create(os.fsencode(path), h5f.ACC_TRUNC, fcpl=creation, fapl=access))
