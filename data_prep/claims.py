"""One run at a time in a folder, by a lock that a killed process lets go of."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.files import explain_write_failure, is_running

LOCK = ".lock"


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep other processes out of `folder`, which is made if needed, while the block runs.

    The file `.lock` in it is locked and says who holds it; in the end it goes, and so do folders made for it that hold
    nothing else. The system frees the lock of a process that was killed, and what that process left is taken over.
    Where a network disk knows no locks, what the file says decides: a process of this machine that does not run any
    more is gone, one of another machine is taken to be at work. Raises `InputError` where somebody is, naming process,
    host and time, and where no file can be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        handle = _take(folder)
    except OSError as error:
        _remove_empty(missing)
        raise explain_write_failure(folder, error) from error
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        os.close(handle)
        _remove_empty(missing)


def _take(folder: Path) -> int:
    """The handle of the locked file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if remedy := _refusal(handle, path):
                raise InputError(f"{folder}: another run is at work here{_named(_owner(handle))}; {remedy}")
            if _still_there(handle, path):
                _sign(handle, path)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last owner has removed it in between


def _refusal(handle: int, path: Path) -> str:
    """Lock the file; "" where that was possible, else what may help."""
    try:
        import fcntl
    except ImportError:
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "wait for it, or choose another name"
    except OSError:  # a disk without locks
        return f"wait for it, or remove {path} if it is gone" if _may_run(_owner(handle)) else ""
    return ""


def _still_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sign(handle: int, path: Path) -> None:
    note = {"process": os.getpid(), "host": platform.node(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
    except OSError:  # the disk is full
        path.unlink()
        raise


def _owner(handle: int) -> dict[str, Any]:
    """What the holder wrote; {} where it has not done so yet."""
    try:
        note = json.loads(os.pread(handle, 4096, 0))
        return {"process": int(note["process"]), "host": str(note["host"]), "since": str(note["since"])}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _named(owner: dict[str, Any]) -> str:
    return f" (process {owner['process']} on {owner['host']} since {owner['since']})" if owner else ""


def _may_run(owner: dict[str, Any]) -> bool:
    return bool(owner) and (owner["host"] != platform.node() or is_running(owner["process"]))


def _remove_empty(folders: list[Path]) -> None:
    """Remove `folders`, from the inmost out, as far as they are empty."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()
