"""`python -m mta.study`: rows of settings by seeds, run beside each other, in one table of differences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.console import require_workers, say
from data_prep.console import run as run_command
from data_prep.errors import InputError

if TYPE_CHECKING:
    from mta.studies.plan import StudyPlan

PROG = "python -m mta.study"


def study(config: str | Path, out: str | Path, workers: int = 0, quiet: bool = False) -> Path:
    """Do every run of the study that the file `config` describes, and compare them.

    Args:
        config: YAML file, see docs/study.md.
        out: folder of the study. The same command again does what is not done yet.
        workers: processes that train beside each other; 0: as many as there are cores.
        quiet: no progress bar, no warnings of the runs, no table.

    Returns:
        `out`, with `results.csv`, `table.csv`, `table.html`, `table.tex`, `study.png`, `study.json`, and the run
        folders `runs/ROW/SEED`.

    Raises:
        InputError: for bad input, before anything runs; and after the table is written, when runs failed.
    """
    from data_prep.claims import claimed
    from mta.studies.check import require_testable
    from mta.studies.job import jobs_of
    from mta.studies.networks import require_networks
    from mta.studies.plan import read_plan
    from mta.studies.running import cores, run_jobs

    require_workers(workers or 1)
    plan, folder = read_plan(config), Path(out)
    shapes = require_testable(plan)
    jobs = jobs_of(plan, folder)
    with claimed(folder):
        waiting = [job for job in jobs if not job.done()]
        require_networks(waiting, shapes, quiet)
        failed = run_jobs(waiting, workers or cores(), quiet)
        lines = write_results(plan, folder, failed)
    if not quiet:
        say(f"{lines}\n{folder}: table.html, table.csv, table.tex, results.csv, study.png, study.json")
    if failed:
        raise InputError(
            f"{len(failed)} of {len(jobs)} runs failed and are not in the table; the same command tries them again "
            f"({next(iter(failed.values()))})"
        )
    return folder


def write_results(plan: StudyPlan, folder: Path, failed: dict[str, str]) -> str:
    """Write tables, figure and `study.json` of the runs that are there; returns the table for the screen."""
    from data_prep.files import replacing, write_json, write_text
    from mta.studies.figure import forest
    from mta.studies.job import record_of
    from mta.studies.measures import tidy
    from mta.studies.pages import as_text, html_page, latex_table
    from mta.studies.table import make_table
    from mta.studies.tested import collect

    tested = collect(plan, folder)
    results = tidy(tested)
    table = make_table(plan, tested, results)
    for name, frame in (("results.csv", results), ("table.csv", table)):
        with replacing(folder / name) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g")
    forest(plan, table, tested.roles, folder / "study.png")
    write_text(folder / "table.html", html_page(plan, table, tested.roles, folder / "study.png"))
    write_text(folder / "table.tex", latex_table(plan, table, tested.roles))
    write_json(folder / "study.json", record_of(plan, folder, failed))
    return as_text(plan, table, tested.roles)


def command(config: str, /, out: str, workers: int = 0, quiet: bool = False) -> None:
    """Train and measure every row of a study with every seed, and compare all with its baseline.

    Args:
        config: YAML file with data, settings, rows, baseline, control, seeds, model and roles, see docs/study.md
        out: folder of the study; the same command again does what is not done yet
        workers: processes that train beside each other (0: as many as there are cores)
        quiet: no progress bar, no warnings of the runs, no table
    """
    study(config, out, workers, quiet)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    run_command(command, PROG, argv)


if __name__ == "__main__":
    main()
