"""What every command shares: parsing, progress, and one clear line on bad input.

A command is a function (or a frozen dataclass) whose annotated parameters are its flags and whose docstring
is its help. `run` parses the arguments with tyro, calls it, and turns failures into exit codes.
"""

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr
from functools import partial, wraps
from typing import Any, NoReturn, TypeVar
from weakref import WeakSet

from data_prep.errors import InputError

Item = TypeVar("Item")
BAD_INPUT = 2
_BARS: WeakSet[Any] = WeakSet()


def run(command: Callable[..., Any], prog: str, argv: Sequence[str] | None = None) -> Any:
    """Call `command` with the flags in `argv` (default: the process's own).

    `--version` is answered here. Bad input prints `prog: message` to standard error and exits with 2,
    Ctrl-C exits with 130; any other exception is a defect of ours and keeps its traceback.
    """
    import tyro

    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        print_version(prog)

    @wraps(command)
    def later(*values: Any, **named: Any) -> Callable[[], Any]:
        return partial(command, *values, **named)

    return guarded(parse(later, prog, arguments, config=(tyro.conf.FlagCreatePairsOff,)), prog)


def parse(command: Callable[..., Any], prog: str, arguments: Sequence[str], **options: Any) -> Any:
    """What `tyro.cli` returns for `command`; a usage error is one line on standard error and exit status 2."""
    import tyro

    held = io.StringIO()
    try:
        with redirect_stderr(held):
            return tyro.cli(command, prog=prog, args=arguments, **options)
    except SystemExit as stop:
        if stop.code:
            fail(prog, _without_box(held.getvalue()))
        raise


def _without_box(text: str) -> str:
    """The words in the frames that tyro draws, without their titles and rules."""
    lines = [line.strip("│ ") for line in text.splitlines() if not line.startswith(("╭", "╰"))]
    return " ".join(line for line in lines if line.strip("─"))


def guarded(work: Callable[[], Any], prog: str) -> Any:
    """Call `work`; bad input becomes one line on standard error and exit status 2."""
    try:
        return work()
    except InputError as error:
        fail(prog, str(error))
    except KeyboardInterrupt:
        _close_bars()
        sys.stderr.write(f"{prog}: interrupted; run the same command again\n")
        raise SystemExit(130) from None


def fail(prog: str, message: str) -> NoReturn:
    """Print one line to standard error, below any progress bar, and leave with status 2."""
    _close_bars()
    sys.stderr.write(f"{prog}: {' '.join(message.split())}\n")
    raise SystemExit(BAD_INPUT)


def _close_bars() -> None:
    for bar in list(_BARS):
        bar.close()


def require_seed(seed: int | None) -> None:
    """Raise `InputError` for a --seed below 0, which no generator takes."""
    if seed is not None and seed < 0:
        raise InputError(f"--seed {seed}: give 0 or more")


def require_workers(workers: int) -> None:
    """Raise `InputError` for fewer --workers than one."""
    if workers < 1:
        raise InputError(f"--workers {workers}: give 1 or more")


def require_mpp(mpp: float | None) -> None:
    """Raise `InputError` for an --mpp of patches that no microscope has."""
    if mpp is not None and not 0 < mpp < 100:
        raise InputError(f"--mpp {mpp}: give micrometres a pixel, as 0.25 for 40x")


def warn(message: str) -> None:
    """Print a warning line to standard error, without stopping."""
    sys.stderr.write(f"warning: {message}\n")


def say(message: str) -> None:
    """Print a result line to standard output."""
    sys.stdout.write(f"{message}\n")


def print_version(prog: str) -> NoReturn:
    """Print the version and leave."""
    from importlib.metadata import version

    say(f"{prog} {version('mta')}")
    raise SystemExit(0)


def progress(items: Iterable[Item], label: str, total: int | None = None, quiet: bool = False) -> Iterable[Item]:
    """`items` with a progress bar on standard error, unless `quiet`."""
    from tqdm.auto import tqdm

    bar = tqdm(items, desc=label, total=total, disable=quiet, leave=True)
    _BARS.add(bar)
    return bar
