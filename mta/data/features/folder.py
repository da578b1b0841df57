"""The folder of all feature caches: who is using which, and which goes when there is no room."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_prep.console import say
from data_prep.files import explain_write_failure, write_json

GB = 10**9
SPARE = 0.1  # of the free disk is left to others
_VARIABLE = "MTA_CACHE"


def default_folder() -> Path:
    """`$MTA_CACHE`, or `mta` in the user's folder of caches."""
    named = os.environ.get(_VARIABLE)
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mta"


class CacheFolder:
    """All feature caches of a user, one folder each, named by what its numbers depend on.

    Args:
        path: made if needed.
        limit: bytes that all caches together may take.

    Raises:
        InputError: when it cannot be made.
    """

    def __init__(self, path: Path, limit: float) -> None:
        self.path, self._limit = path, limit
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain_write_failure(path, error) from error

    def take(self, name: str, about: dict[str, Any]) -> Path:
        """The folder of the cache `name`, marked as used now; `about` says what is in it, for people."""
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        write_json(folder / "about.json", about)
        return folder

    def room(self, name: str, wanted: int) -> int:
        """How many bytes `name` may grow by, at most `wanted`; caches that nobody uses make room, the oldest first."""
        for folder in self._others_oldest_first(name):
            if self._left() >= wanted:
                break
            _remove_unused(folder)
        return max(0, min(wanted, self._left()))

    def _left(self) -> int:
        used = sum(map(_bytes_of, self.path.glob("*/features.bin")))
        free = shutil.disk_usage(self.path).free
        return int(min(self._limit - used, free * (1 - SPARE)))

    def _others_oldest_first(self, name: str) -> list[Path]:
        others = [path.parent for path in self.path.glob("*/about.json") if path.parent.name != name]
        return sorted(others, key=lambda folder: (folder / "about.json").stat().st_mtime)


def _bytes_of(path: Path) -> int:
    """What `path` takes on disk; the file of a cache has holes."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:  # removed by another run just now
        return 0


def _remove_unused(folder: Path) -> None:
    with locked(folder / "use.lock", wait=False) as mine:
        if mine:
            say(f"{folder}: removed, to make room for newer features (--cache-limit)")
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(path: Path, wait: bool, shared: bool = False) -> Iterator[bool]:
    """Hold the lock file `path` during the block; yields whether it is held.

    A process that is killed lets go. Where the system or its network disk knows no such locks, nobody is kept out.
    """
    import fcntl

    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise explain_write_failure(path, error) from error
    try:
        yield _lock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    finally:
        os.close(handle)


def _lock(handle: int, how: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    except OSError:  # some network disks know no locks
        return True
    return True
