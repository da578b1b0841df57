"""Variance, interval and paired test of the AUC for independent rows, such as one score a patient.

DeLong, DeLong & Clarke-Pearson (Biometrics 1988), with mid-ranks as in Sun & Xu (IEEE Signal Processing Letters
2014), so that the cost is that of sorting. Patches of one patient are not independent: for them, the bootstrap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from data_prep.errors import InputError
from mta.evaluation.checks import labelled
from mta.evaluation.intervals import LEVEL, Interval
from mta.evaluation.scores import NORMAL, TUMOR, auc

_REACH = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class DeLongTest:
    """AUC of model a minus that of b, its standard error, 95 % interval, z and two-sided p. NaN where se is 0."""

    difference: float
    se: float
    interval: Interval
    z: float
    p: float


def delong_variance(labels: ArrayLike, scores: ArrayLike) -> float:
    """Variance of `auc` over independent rows. `labels` (n,) in {0, 1, -1 = left out}, `scores` (n,).

    Raises `InputError` when a score is not finite or a class has fewer than two rows; so do the others here.
    """
    return float(_covariance(*labelled(labels, scores)))


def delong_interval(labels: ArrayLike, scores: ArrayLike) -> Interval:
    """95 % interval of `auc`, normal on the logit scale (Pepe 2003, section 5.2), so that it stays in [0, 1].

    (NaN, NaN) when the AUC is 0 or 1, whose variance is 0 by construction. Arguments as in `delong_variance`.
    """
    variance, area = delong_variance(labels, scores), auc(labels, scores)
    if not 0 < area < 1:
        return float("nan"), float("nan")
    half = _REACH * np.sqrt(variance) / (area * (1 - area))
    return float(expit(logit(area) - half)), float(expit(logit(area) + half))


def delong_test(labels: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike) -> DeLongTest:
    """Whether two models differ in AUC on the same independent rows. Arrays (n,) as in `delong_variance`."""
    known, a = labelled(labels, scores_a)
    _, b = labelled(labels, scores_b)
    difference = auc(known, a) - auc(known, b)
    (variance_a, shared), (_, variance_b) = _covariance(known, np.stack([a, b]))
    se = float(np.sqrt(max(variance_a + variance_b - 2 * shared, 0.0)))
    z = difference / se if se else float("nan")
    interval = (difference - _REACH * se, difference + _REACH * se)
    return DeLongTest(difference, se, interval, z, float(2 * norm.sf(abs(z))))


def _covariance(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Covariance of the AUCs of `scores` ((models,) n): (models, models), or a scalar for one model."""
    parts = [_components(scores, labels == kind, labels != kind) for kind in (TUMOR, NORMAL)]
    if smallest := [part.shape[-1] for part in parts if part.shape[-1] < 2]:
        raise InputError(f"{smallest[0]} row of one class; DeLong's variance needs two or more rows of each")
    return np.asarray(sum(np.cov(part) / part.shape[-1] for part in parts))


def _components(scores: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Share of the `other` rows below each of the `own` rows, ties counting half: ((models,) own)."""
    below = rankdata(scores, axis=-1)[..., own] - rankdata(scores[..., own], axis=-1)
    return below / other.sum()
