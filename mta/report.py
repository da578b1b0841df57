"""`python -m mta.report`: one page on a run, or on several compared."""

from collections.abc import Sequence
from pathlib import Path

from data_prep.console import run as run_command
from data_prep.console import say
from data_prep.errors import InputError

PROG = "python -m mta.report"


def report(runs: Sequence[str | Path], out: str | Path = "", overwrite: bool = False) -> Path:
    """Write a self-contained HTML page on `runs`, and its checklist, `tripod_claim.md`, beside it.

    Args:
        runs: run folders that `mta.evaluate` has measured, or those of cross-validated runs (`--folds`); several must
            have the same test rows.
        out: the page; default RUN/report.html, to be named for several runs. Figures that compare several runs are
            looked for in the folder `explain` beside it.
        overwrite: replace a page and a checklist that are there.

    Returns:
        The page that was written.

    Raises:
        InputError: for bad input, before anything is written.
    """
    from data_prep.files import require_destination
    from mta.reporting.write import checklist_beside, write_report

    if not out and len(runs) != 1:
        raise InputError("several runs: name the page with --out FILE.html")
    page = Path(out) if out else Path(runs[0]) / "report.html"
    for path in (page, checklist_beside(page)):
        require_destination(path, overwrite)
    write_report(runs, page)
    return page


def command(runs: tuple[str, ...], /, out: str = "", overwrite: bool = False) -> None:
    """Put what is known of a run on one HTML page: data, training, ROC, calibration, centres, concepts, errors.

    Several runs are compared, each pair on the same patches. The page is one file that fetches nothing. Beside it lies
    tripod_claim.md, a reporting checklist filled in as far as the run can speak for itself.

    Args:
        runs: run folders, evaluated by python -m mta.evaluate, or those that hold the folds of one
        out: the page to write (default RUN/report.html; needed for several runs)
        overwrite: replace a page and a checklist that are there
    """
    from mta.reporting.write import checklist_beside

    page = report(runs, out, overwrite)
    say(f"{page}: {page.stat().st_size / 1e6:.1f} MB; {checklist_beside(page)}")


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the command."""
    run_command(command, PROG, argv)


if __name__ == "__main__":
    main()
