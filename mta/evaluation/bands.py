"""The ROC curve with a band over patients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mta.evaluation.bootstrap import cluster_strata, resample_counts
from mta.evaluation.checks import labelled, require_two_patients
from mta.evaluation.intervals import LEVEL
from mta.evaluation.scores import TUMOR

RESAMPLES, POINTS = 500, 101
_BLOCK = 2**20  # weights at a time (resamples x distinct scores)


@dataclass(frozen=True)
class Band:
    """Pointwise 95 % limits `low`, `high` of the true positive rate at each `false` positive rate, all (points,)."""

    false: np.ndarray
    low: np.ndarray
    high: np.ndarray


def roc_band(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike, n: int = RESAMPLES, seed: int = 0) -> Band:
    """The central 95 % of the ROC curves of `n` resamples of patients, at 101 false positive rates from 0 to 1.

    Arrays (rows,) and resamples as in `clustered_bootstrap`; vertical averaging after Fawcett (2006), a curve being the
    highest true positive rate that it has up to a false positive rate. The limits hold at a point, not for the
    whole curve at once. Raises `InputError` for scores that are not finite, one class or one patient only.
    """
    patients = np.ravel(clusters)[np.ravel(labels) >= 0]
    labels, scores = labelled(labels, scores)
    require_two_patients(patients)
    _, group = np.unique(patients, return_inverse=True)
    distinct, level = np.unique(-scores, return_inverse=True)
    grid, strata = np.linspace(0, 1, POINTS), cluster_strata(labels, patients)
    order = np.argsort(level, kind="stable")
    ends = np.searchsorted(level[order], np.arange(len(distinct)), side="right")
    sorted_group, tumor = group[order], labels[order] == TUMOR
    curves = [
        _true_rates(counts[:, sorted_group], tumor, ends, grid)
        for counts in resample_counts(strata, n, seed, max(1, _BLOCK // len(scores)))
    ]
    low, high = np.quantile(np.concatenate(curves), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Band(grid, low, high)


def _true_rates(weights: np.ndarray, tumor: np.ndarray, ends: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The true positive rate (resamples, points) at each of `grid`, of rows in falling order of score.

    `weights` (resamples, rows) say how often a row was drawn; rows of one score end at one of `ends`.
    """
    true, false = (_rates(weights * kind, ends) for kind in (tumor, ~tumor))
    apart = 2.0 * np.arange(len(false))[:, None]  # so that all resamples are one sorted array
    place = np.searchsorted((false + apart).ravel(), (grid + 1e-12 + apart).ravel(), side="right") - 1
    return np.asarray(true.ravel()[place].reshape(len(true), len(grid)))


def _rates(weights: np.ndarray, ends: np.ndarray) -> np.ndarray:
    heap = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)[:, ends - 1]], axis=1)
    return np.asarray(heap / heap[:, -1:])
