"""Sensitivity and specificity at a threshold that was chosen on other rows. A row is called tumor above it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data_prep.errors import InputError
from mta.evaluation.bootstrap import RESAMPLES, cluster_strata, resample_counts
from mta.evaluation.checks import labelled, require_two_patients
from mta.evaluation.intervals import Interval, percentile_interval
from mta.evaluation.scores import NORMAL, TUMOR

_BLOCK = 2**18  # counts at a time (resamples x patients): 2 MB


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does: shares in [0, 1] and their 95 % intervals over patients."""

    threshold: float
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval


def threshold_at_specificity(labels: ArrayLike, scores: ArrayLike, specificity: float) -> float:
    """The lowest score of a normal row above which at most 1 - `specificity` of the normal rows lie.

    `labels` (n,) in {0, 1, -1 = left out} and `scores` (n,) of validation rows, never of the rows it is to be
    measured on. Raises `InputError` for scores that are not finite, one class only, or a specificity outside (0, 1].
    """
    if not 0 < specificity <= 1:
        raise InputError(f"specificity {specificity}: give a share above 0 and at most 1, as 0.95")
    labels, scores = labelled(labels, scores)
    return float(np.quantile(scores[labels == NORMAL], specificity, method="inverted_cdf"))


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The score above which sensitivity + specificity - 1 (Youden 1950) is largest; the highest of equals.

    Arguments and errors as in `threshold_at_specificity`.
    """
    labels, scores = labelled(labels, scores)
    values, group = np.unique(scores, return_inverse=True)
    below = [np.cumsum(np.bincount(group, weights=labels == kind, minlength=len(values))) for kind in (NORMAL, TUMOR)]
    surplus = below[0] / below[0][-1] - below[1] / below[1][-1]
    return float(values[np.flatnonzero(surplus >= surplus.max() - 1e-12)[-1]])


def operating_point(
    labels: ArrayLike,
    scores: ArrayLike,
    clusters: ArrayLike,
    threshold: float,
    n: int = RESAMPLES,
    seed: int = 0,
) -> OperatingPoint:
    """Sensitivity and specificity of "tumor above `threshold`", with percentile intervals over patients.

    Arrays (rows,) as in `clustered_bootstrap`, whose resamples these are. For decisions by patient give what
    `patients_of` makes of the probabilities, each patient a cluster. The interval of a share that is 0 or 1 in
    every patient has no width. Raises `InputError` for scores that are not finite, one class or one patient only.
    """
    patients = np.ravel(clusters)[np.ravel(labels) >= 0]
    labels, scores = labelled(labels, scores)
    require_two_patients(patients)
    _, group = np.unique(patients, return_inverse=True)
    right = (scores > threshold) == (labels == TUMOR)
    shares = []
    for kind in (TUMOR, NORMAL):
        sums = np.stack([np.bincount(group, weights=(labels == kind) & hit) for hit in (right, np.ones_like(right))])
        shares.append(_share(sums.T, cluster_strata(labels, patients), n, seed))
    return OperatingPoint(float(threshold), *shares[0], *shares[1])


def _share(sums: np.ndarray, strata: np.ndarray, n: int, seed: int) -> tuple[float, Interval]:
    """A share and its interval, from (rows right, rows) of each cluster (clusters, 2)."""
    blocks = resample_counts(strata, n, seed, max(1, _BLOCK // len(strata)))
    drawn = np.concatenate([counts @ sums for counts in blocks])
    right, rows = sums.sum(axis=0)
    return float(right / rows), percentile_interval(drawn[:, 0] / drawn[:, 1])
