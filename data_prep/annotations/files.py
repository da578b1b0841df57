"""Annotation files as bytes from anyone."""

from pathlib import Path

from data_prep.errors import InputError

# Twenty times the largest annotation of Camelyon; parsing takes about ten times the size in memory.
_LARGEST = 256 * 2**20


def read_bytes(path: Path) -> bytes:
    """The whole of `path`; `InputError` where it is absent, unreadable, empty or above 256 MiB."""
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise InputError(f"{path}: {size / 2**20:.0f} MiB are too much for an annotation; split or simplify it")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the annotation cannot be read ({error.strerror}); check its path") from error
    if not data.strip():
        raise InputError(f"{path}: the annotation is empty; export it again")
    return data
