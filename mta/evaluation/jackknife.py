"""What the AUC is without each patient in turn: its variance and skewness over patients, without resampling.

The strata are those of the bootstrap. A stratum of one patient adds nothing: what it would vary by is unknown.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from mta.evaluation.scores import NORMAL, TUMOR


def leave_one_out_auc(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike) -> np.ndarray:
    """The AUC (clusters,) of the rows without each cluster, in sorted order; NaN where one class is left.

    `labels` (rows,) in {0, 1}, `scores` (rows,), `clusters` (rows,). The pairs that a cluster is in are counted by
    mid-ranks and taken away from all pairs, so that the cost is that of sorting, however many clusters there are.
    """
    labels, scores = np.ravel(labels), np.ravel(scores)
    _, group = np.unique(np.ravel(clusters), return_inverse=True)
    tumor = labels == TUMOR
    tumors, normals = np.bincount(group, weights=tumor), np.bincount(group, weights=labels == NORMAL)
    won = np.bincount(group, weights=_pairs_won(tumor, scores))
    total = won.sum() / 2  # every pair was counted at both its ends
    pairs = (tumors.sum() - tumors) * (normals.sum() - normals)
    left = total - won + _won_within(tumor, scores, group, tumors)
    return np.divide(left, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def influence(values: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Jackknife influence of each cluster (clusters,) over its stratum's size, from leave-one-out `values` (clusters,).

    l_ij / n_i of Davison & Hinkley (1997, section 3.2), with l_ij = (n_i - 1) (mean of the stratum - value without j).
    """
    sizes = np.bincount(strata)
    varying = sizes[strata] > 1
    sums = np.bincount(strata[varying], weights=values[varying], minlength=len(sizes))
    means = np.divide(sums, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
    size = sizes[strata]
    return np.where(varying, (size - 1) / size * (means[strata] - values), 0.0)


def acceleration(values: np.ndarray, strata: np.ndarray) -> float:
    """The constant a of a stratified BCa interval (Davison & Hinkley 1997, equation 5.28); 0 where nothing varies."""
    parts = influence(values, strata)
    spread = (parts**2).sum()
    return float((parts**3).sum() / (6 * spread**1.5)) if spread else 0.0


def jackknife_variance(values: np.ndarray, strata: np.ndarray) -> tuple[float, float]:
    """(variance, degrees of freedom) of the AUC over clusters, from leave-one-out `values` (clusters,).

    The sum over strata of (n - 1) / n times the squared deviations (Efron & Stein 1981), and Satterthwaite's (1946)
    degrees of freedom of that sum. (0, NaN) where nothing varies.
    """
    sizes = np.bincount(strata)
    sums = np.bincount(strata, weights=influence(values, strata) ** 2)
    shares = (sums * sizes / np.maximum(sizes - 1, 1))[sizes > 1]
    spread = (shares**2 / (sizes[sizes > 1] - 1)).sum()
    return float(shares.sum()), float(shares.sum() ** 2 / spread) if spread else float("nan")


def _pairs_won(tumor: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each row (rows,), how many pairs with a row of the other class the tumor wins, ties counting half."""
    rank = rankdata(scores)
    own = np.empty(len(scores))
    own[tumor], own[~tumor] = rankdata(scores[tumor]), rankdata(scores[~tumor])
    below = rank - own  # rows of the other class that score lower
    return np.where(tumor, below, tumor.sum() - below)


def _won_within(tumor: np.ndarray, scores: np.ndarray, group: np.ndarray, tumors: np.ndarray) -> np.ndarray:
    """The pairs that the tumor wins with both patches in one cluster, (clusters,)."""
    _, level = np.unique(scores, return_inverse=True)
    before = np.cumsum(np.bincount(group)) - np.bincount(group)
    rank = rankdata(group * (level.max() + 1) + level) - before[group]
    return np.bincount(group, weights=rank * tumor) - tumors * (tumors + 1) / 2
