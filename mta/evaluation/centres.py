"""The AUC centre by centre, and where it is worst: a mean over centres hides the one where the model fails."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data_prep.errors import InputError
from mta.evaluation.bootstrap import RESAMPLES, Method, clustered_bootstrap
from mta.evaluation.checks import labelled
from mta.evaluation.intervals import Interval
from mta.evaluation.scores import auc


@dataclass(frozen=True)
class Centre:
    """AUC of one centre with its 95 % interval over patients; NaN where undefined."""

    name: str
    auc: float
    interval: Interval
    rows: int
    patients: int


def centre_aucs(
    labels: ArrayLike,
    scores: ArrayLike,
    clusters: ArrayLike,
    centres: ArrayLike,
    method: Method = "t",
    n: int = RESAMPLES,
    seed: int = 0,
) -> list[Centre]:
    """Each centre with a labelled row, by name.

    `labels` (rows,) in {0, 1, -1 = left out}, `scores` (rows,), `clusters` (rows,) patients, `centres` (rows,) names.
    The default interval is that for few patients, which a centre has. Raises `InputError` for scores that are not
    finite, or one class only in all.
    """
    known = np.ravel(labels) >= 0
    clusters, centres = (np.ravel(values)[known] for values in (clusters, centres))
    labels, scores = labelled(labels, scores)
    found = []
    for name in np.unique(centres):
        truth, score, patients = (values[centres == name] for values in (labels, scores, clusters))
        interval = clustered_bootstrap(truth, score, patients, n, seed, method)
        found.append(Centre(str(name), auc(truth, score), interval, len(truth), len(np.unique(patients))))
    return found


def worst_centre(centres: list[Centre]) -> Centre:
    """The centre with the lowest AUC. The lowest of several is low by chance, too: its interval does not know that.

    Raises `InputError` when no centre has rows of both classes.
    """
    measured = [centre for centre in centres if not np.isnan(centre.auc)]
    if not measured:
        raise InputError(f"none of the {len(centres)} centres has both tumor and normal rows")
    return min(measured, key=lambda centre: centre.auc)
