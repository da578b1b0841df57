"""`python -m data_prep verify`: is anything wrong with these patch files, and what is to be made again?"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.console import progress, run, say
from data_prep.errors import InputError

if TYPE_CHECKING:
    from data_prep.store.finding import Finding


def verify(files: tuple[Path, ...], /, *, quiet: bool = False) -> None:
    """Check patch files (flat stores and original layouts) down to every pixel.

    Prints one line a problem or warning and the slides to make again. Exits with 0 when all is sound or there are only
    warnings, with 1 when something is wrong. Equal patches within one patient are a warning, under different
    patients or labels a problem.

    Args:
        files: The files to check; duplicate patches are looked for across all of them.
        quiet: No progress bar.
    """
    from data_prep.store.verify import verify as check
    from data_prep.store.words import counted

    if not files:
        raise InputError("no file given; name the patch files to check")
    findings = check(files, partial(progress, quiet=quiet))
    for finding in findings:
        say(f"{finding.file}: {'problem' if finding.problem else 'warning'}: {finding.text}")
    problems = sum(finding.problem for finding in findings)
    _say_redo(findings)
    found = f"{counted(problems, 'problem')}, {counted(len(findings) - problems, 'warning')}"
    say(f"{counted(len(files), 'file')}: {found}")
    if problems:
        raise SystemExit(1)


def _say_redo(findings: "list[Finding]") -> None:
    slides = sorted({slide for finding in findings for slide in finding.redo})
    if slides:
        say(f"make again: {', '.join(slides)}")


def main(argv: Sequence[str]) -> None:
    """Parse `argv` and check."""
    run(verify, "python -m data_prep verify", argv)
