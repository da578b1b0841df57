"""Whole files or none: everything is written beside its destination and renamed when complete."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from data_prep.errors import InputError

_REASONS = {
    errno.ENOSPC: "no space is left on the disk; free some or choose another place",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another place",
    errno.EFBIG: "the file would be larger than this system allows; raise the limit or write a smaller one",
    errno.EACCES: "this place is not writable; choose another",
    errno.EPERM: "this place is not writable; choose another",
    errno.EROFS: "this place is read-only; choose another",
    errno.ENOENT: "no file can be made in this place; choose another",
    errno.ENOTDIR: "part of this path is a file, not a folder; choose another place",
    errno.EEXIST: "part of this path is a file, not a folder; choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def explain_write_failure(path: Path, error: OSError) -> InputError:
    """The one line for a failed write to `path`; what a full disk means is said in words."""
    reason = _REASONS.get(error.errno or 0) or next(
        (text for code, text in _REASONS.items() if os.strerror(code) in str(error)), str(error)
    )
    return InputError(f"{path}: could not be written: {reason}")


def require_destination(path: str | Path, overwrite: bool = True) -> None:
    """Raise `InputError` where no file can be put at `path`: a folder, a place not writable, a file to be kept.

    Commands call it before their work; `replacing` does in any case.
    """
    path = Path(path)
    try:
        folder, present = path.is_dir(), path.exists()
        home = next(parent for parent in path.absolute().parents if parent.exists())
    except OSError as error:
        raise explain_write_failure(path, error) from error
    if folder:
        raise InputError(f"{path}: is a folder; name a file")
    if present and not overwrite:
        raise InputError(f"{path}: exists already; choose another name or add --overwrite")
    if not home.is_dir():
        raise explain_write_failure(path, OSError(errno.ENOTDIR, ""))
    if not os.access(home, os.W_OK | os.X_OK):
        raise explain_write_failure(path, OSError(errno.EACCES, ""))


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it where they are absent; `InputError` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_write_failure(folder, error) from error


@contextmanager
def replacing(path: str | Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` when the block ends well, else remove it.

    A reader never sees a half-written file, and a crash leaves the old one in place. What a killed process left of
    `path` is removed first (`sweep`). A `path` that is a folder, and write failures (full disk, quota, permissions),
    become an `InputError`. `durable`: whether a power cut right after leaves a whole file too; to wait for the disk
    takes longer than many a file does, so what is checked when it is read, or easily made again, goes without.
    """
    path = Path(path)
    require_destination(path)
    # The ending stays: libraries choose the format by it.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        yield temporary
        if durable:
            _flush(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise explain_write_failure(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def sweep(path: str | Path) -> None:
    """Remove the temporaries of `path` (as `replacing` names them) whose process no longer runs on this machine."""
    path = Path(path)
    for stray in path.parent.glob(f".{escape(path.stem)}.*.tmp{escape(path.suffix)}"):
        owner = stray.name.removeprefix(f".{path.stem}.").removesuffix(f".tmp{path.suffix}")
        if owner.isdecimal() and not is_running(int(owner)):
            stray.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _flush(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def write_text(path: str | Path, text: str, durable: bool = True) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all (`durable` as in `replacing`)."""
    with replacing(path, durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any, durable: bool = True) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all (`durable` as in `replacing`). NaN is refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n", durable)
