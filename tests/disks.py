"""Commands on a disk of their own that is full or read-only: a tmpfs in a mount namespace, gone with the command."""

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
mount -t tmpfs -o size=64m tmpfs "$1" && cp -a "$2/." "$1" || exit 99
if [ "$4" = full ]; then
    free=$(df --output=avail -B1 "$1" | tail -1)
    fallocate -l $((free - $5)) "$1/filler" || exit 99
else
    mount -o remount,ro "$1" || exit 99
fi
place=$1 after=$3
shift 5
"$@"
status=$?
rm -f "$place/filler"
cp -a "$place/." "$after"
exit $status
"""


@functools.cache
def namespace() -> tuple[str, ...]:
    """The start of a command that may mount in a namespace of its own; empty where there is none."""
    for flags in ("-m", "-rm"):
        start = ("unshare", flags)
        try:
            tried = subprocess.run([*start, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
        except FileNotFoundError:
            break
        if not tried.returncode:
            return start
    return ()


@dataclass
class Outcome:
    """How a command ended: status, standard error, and the folder that was its disk, before and after."""

    status: int
    stderr: str
    before: Path
    after: Path

    def require_refusal(self, words: str) -> None:
        """Assert status 2, a last line with `words`, no traceback, nothing half-written, and that no file changed."""
        assert self.status == 2, self.stderr
        assert words in self.stderr.splitlines()[-1], self.stderr
        assert "Traceback" not in self.stderr
        left = {path.relative_to(self.after): path for path in self.after.rglob("*") if path.is_file()}
        for path in self.before.rglob("*"):
            if path.is_file():
                assert left[path.relative_to(self.before)].read_bytes() == path.read_bytes(), path
        assert not [name for name in left if name.name.startswith(".")], "half-written files"


class Disk:
    """A folder `before` whose copy is the disk of the commands, at `place`."""

    def __init__(self, folder: Path) -> None:
        self.before, self.place, self._after = folder / "before", folder / "disk", folder / "after"
        self.before.mkdir()
        self.place.mkdir()

    def full(self, command: list[str], room: int) -> Outcome:
        """Run `command` with `room` bytes left."""
        return self._run(command, "full", room)

    def read_only(self, command: list[str]) -> Outcome:
        """Run `command` where nothing can be written."""
        return self._run(command, "ro", 0)

    def _run(self, command: list[str], how: str, room: int) -> Outcome:
        self._after.mkdir()
        places = [str(path) for path in (self.place, self.before, self._after)]
        arguments = [*namespace(), "sh", "-c", _SCRIPT, "sh", *places, how, str(room), *command]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode != 99, done.stderr
        return Outcome(done.returncode, done.stderr, self.before, self._after)
