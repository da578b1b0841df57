"""Cross-validated runs fold by fold."""

from collections.abc import Sequence

import pandas as pd

from data_prep.page import Node, element, section, table
from mta.reporting.evidence import Evidence
from mta.reporting.flow import tally
from mta.reporting.measures import patch_auc, spoken

_NONE = (0, 0, 0)
_READ = (
    "Everything else that this page says of the internal test pools the tests of all folds: each patch by the network "
    "that had not seen its patient. Logits of different networks are not on one scale, so that the pooled AUC can lie "
    "outside the range of the folds. Folds share training patients, which no interval here knows. The external test is "
    "measured once by each fold, and not pooled. Thresholds, temperatures and domain heads are each fold's own."
)


def folds(runs: Sequence[Evidence]) -> Node | None:
    """The section; None where no run is cross-validated."""
    crossed = [run for run in runs if run.folds]
    if not crossed:
        return None
    return section("Folds", *map(_table, crossed), element("p", _READ, class_="soft"))


def external_of(run: Evidence) -> str:
    """The AUC of the external test by fold; "" where there was none."""
    found = [(fold.name, fold.part("external_test")) for fold in run.folds if "external_test" in fold.tests]
    return ", ".join(f"{name.rpartition('/')[2]} {patch_auc(part)}" for name, part in found)


def _table(run: Evidence) -> Node:
    scores = [name for name in run.by_fold if name != "fold"]
    known = ["train", "validation", "internal_test"]
    heads = [
        "fold",
        *map(_called, scores),
        "AUC, external test",
        "training patients",
        "validation",
        "tested",
        "patches",
    ]
    lines = []
    for fold, values in zip(run.folds, run.by_fold[scores].to_numpy(float), strict=True):
        sizes = tally(fold.split)
        patients = [sizes.get(role, _NONE)[0] for role in known]
        external = patch_auc(fold.part("external_test")) if "external_test" in fold.tests else "–"
        lines.append([fold.name, *map(spoken, values), str(external), *patients, sizes.get("internal_test", _NONE)[2]])
    return table(f"{run.name}, {len(run.folds)} folds of whole patients", heads, [*lines, *_ends(run.by_fold[scores])])


def _ends(values: pd.DataFrame) -> list[list[object]]:
    """Mean and range of each column."""
    gap = ["–"] * 5
    low, high = values.min(), values.max()
    ranges = [f"{spoken(low[name])} to {spoken(high[name])}" for name in values]
    return [["mean", *map(spoken, values.mean()), *gap], ["from, to", *ranges, *gap]]


def _called(column: str) -> str:
    return {"auc": "AUC", "accuracy": "accuracy at 0.5"}.get(column, column.replace("r2_", "R2 ", 1))
