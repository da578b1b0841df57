"""Each number of each run, and over seeds the differences between rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mta.evaluation import across_seeds, auc, auc_by_patient, centre_aucs, domain_metrics, mse, paired_difference, r2
from mta.evaluation.centres import worst_centre
from mta.evaluation.table import concept_names
from mta.studies.tested import Key, Tested


@dataclass(frozen=True)
class Difference:
    """The mean over seeds of the AUC of a row minus that of another, with its 95 % interval; NaN where undefined.

    With two seeds or more the interval is for new seeds and new patients (`across_seeds`), with one for new patients
    alone (`paired_difference`).
    """

    mean: float
    low: float
    high: float
    seeds: int


def tidy(tested: Tested) -> pd.DataFrame:
    """`row, seed, role, measure, value`, one line each; undefined values are left out."""
    lines = [
        (*key, role, measure, value)
        for key in tested.tables
        for role in tested.roles
        for measure, value in _measures(tested, key, role)
        if np.isfinite(value)
    ]
    return pd.DataFrame(lines, columns=["row", "seed", "role", "measure", "value"])


def _measures(tested: Tested, key: Key, role: str) -> Iterator[tuple[str, float]]:
    part = tested.part(key, role)
    labels, scores, patients = part["label"].to_numpy(), part["score"].to_numpy(), tested.patients(role)
    known = part["label"] >= 0
    yield "auc", auc(labels, scores)
    yield "auc_by_patient", auc_by_patient(labels, scores, patients)
    yield "accuracy", float(((part["logit"] > 0) == (part["label"] == 1))[known].mean())
    yield "worst_centre_auc", _worst(labels, scores, patients, part["centre"].to_numpy())
    for name in concept_names(part):
        yield f"r2_{name}", r2(part[f"{name}_true"], part[name])
        yield f"mse_{name}", mse(part[f"{name}_true"], part[name])
    if names := tested.centres[key]:
        yield from _domain(part, pd.Index(names))


def _worst(labels: np.ndarray, scores: np.ndarray, patients: np.ndarray, centres: np.ndarray) -> float:
    found = centre_aucs(labels, scores, patients, centres)
    return worst_centre(found).auc if any(np.isfinite(centre.auc) for centre in found) else float("nan")


def _domain(part: pd.DataFrame, names: pd.Index) -> Iterator[tuple[str, float]]:
    """Of rows whose centre was in training."""
    found = domain_metrics(names.get_indexer(part["centre"]), names.get_indexer(part["domain"]), len(names))
    return ((f"domain_{name}", value) for name, value in found.items() if np.isfinite(found["accuracy"]))


def difference(tested: Tested, role: str, row: str, other: str) -> Difference:
    """The AUC of `row` minus that of `other` on the rows of `role`, seed by seed, patients resampled in both alike."""
    mine, theirs = tested.scores(row, role), tested.scores(other, role)
    seeds = [seed for seed in mine if seed in theirs]
    nothing = float("nan")
    if row == other or not seeds:
        return Difference(nothing, nothing, nothing, len(seeds))
    labels, patients = tested.labels(role), tested.patients(role)
    if len(seeds) == 1:
        values = paired_difference(labels, mine[seeds[0]], theirs[seeds[0]], patients, method="t")
        return Difference(*values, seeds=1)
    pair = [np.array([scores[seed] for seed in seeds]) for scores in (mine, theirs)]
    found = across_seeds(labels, pair[0], patients, pair[1])
    return Difference(found.mean, *found.interval, seeds=len(seeds))
