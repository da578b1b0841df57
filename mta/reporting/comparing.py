"""Every run against the first, on the same patches."""

from collections.abc import Sequence
from itertools import combinations

from data_prep.errors import InputError
from data_prep.page import Node, element, section, table
from mta.evaluation import compare_models
from mta.evaluation.comparison import same_rows
from mta.evaluation.style import words
from mta.reporting.evidence import Evidence
from mta.reporting.measures import spoken

_READ = (
    "Both models of a line are measured on the same patches, and patients are left out of both at once, which "
    "cancels what they share (Student's t over patients). An interval that holds 0 is no evidence that the models are "
    "equal. Two runs are two seeds: whether a method is better needs several of each (python -m mta.study)."
)


def require_comparable(runs: Sequence[Evidence]) -> None:
    """Raise `InputError` where two runs have other test roles or rows, with the rows that differ."""
    for other in runs[1:]:
        if runs[0].tests != other.tests:
            raise InputError(
                f"{runs[0].name} was tested on {' and '.join(runs[0].tests)}, {other.name} on "
                f"{' and '.join(other.tests)}; evaluate both on one store with one split"
            )
        for role in runs[0].tests:
            try:
                same_rows(runs[0].part(role), other.part(role))
            except InputError as error:
                raise InputError(f"{runs[0].name} and {other.name}, {role}: {error}") from error


def comparing(runs: Sequence[Evidence]) -> Node | None:
    """The section; None for one run."""
    if len(runs) < 2:
        return None
    pairs = combinations(runs, 2) if len(runs) <= 4 else [(runs[0], run) for run in runs[1:]]
    lines = [_line(b, a, role) for a, b in pairs for role in runs[0].tests]
    heads = ["model a", "model b", "test", "AUC of a", "AUC of b", "a - b [95 %]", "patients", "patches"]
    return section(
        "Comparison",
        table("Paired differences of tumor AUC by patch", heads, lines, texts=3),
        element("p", _READ, class_="soft"),
    )


def _line(a: Evidence, b: Evidence, role: str) -> list[object]:
    found = compare_models(a.predictions, b.predictions, role)
    difference = spoken(found.difference, found.interval, sign="+")
    areas = [spoken(found.auc_a), spoken(found.auc_b)]
    return [a.name, b.name, words(role), *areas, difference, found.patients, found.rows]
