"""`python -m data_prep report STORE --out REPORT.html`: what is in a patch store, on one page."""

from collections.abc import Sequence
from pathlib import Path

from data_prep.console import require_seed, run, say
from data_prep.files import require_destination


def report(
    store: str,
    /,
    *,
    out: Path,
    split: str = "",
    concepts: str = "",
    seed: int = 0,
    overwrite: bool = False,
) -> None:
    """Describe a patch store in one HTML page: counts, concepts, pictures, stain, and what to beware of.

    The page is one file that fetches nothing and runs nothing.

    Args:
        store: The patch store, or several files as name=path,name=path.
        out: The page to write (.html).
        split: A split table whose roles count (default: those of the store).
        concepts: A concept table (.h5 or .csv) to describe (default: the concepts of the store).
        seed: Of the random sample of patches that is shown and measured.
        overwrite: Replace a page that is there.
    """
    require_seed(seed)
    require_destination(out, overwrite)
    from data_prep.report import write_report
    from data_prep.store import require_apart
    from data_prep.store.words import counted

    require_apart([out], [store, Path(split), concepts])
    remarks = write_report(out, store, split, concepts, seed)
    for remark in remarks:
        say(f"{'problem' if remark.problem else 'warning'}: {remark.text}")
    problems = sum(remark.problem for remark in remarks)
    say(f"{out}: {counted(problems, 'problem')}, {counted(len(remarks) - problems, 'warning')}")


def main(argv: Sequence[str]) -> None:
    """Parse `argv` and describe."""
    run(report, "python -m data_prep report", argv)
