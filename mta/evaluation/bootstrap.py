"""Intervals by resampling patients, because patches of one patient are not independent (Field & Welsh, 2007).

Patients are drawn with replacement within three strata (only normal, only tumor, both kinds of patches), so
that every resample holds both classes and the interval is conditional on how many patients there are of each kind.
A resample is a row of counts by patient; its AUC is that of patches weighted by their patient's count, so the
scores are sorted once and every further resample costs only a cumulative sum. Resamples are drawn a few at a time,
from one stream of random numbers, so that memory does not grow with their number.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mta.evaluation.intervals import NOTHING, Interval, bca_interval, logit_t_interval, percentile_interval, t_interval
from mta.evaluation.jackknife import leave_one_out_auc
from mta.evaluation.scores import NORMAL, TUMOR, auc

RESAMPLES = 2000
_BLOCK = 2**18  # weights at a time (resamples x patches): 2 MB, which stays in the processor's cache
Method = Literal["percentile", "bca", "t"]


def clustered_bootstrap(
    labels: ArrayLike,
    scores: ArrayLike,
    clusters: ArrayLike,
    n: int = RESAMPLES,
    seed: int = 0,
    method: Method = "percentile",
) -> Interval:
    """95 % interval (low, high) of `auc` over `n` resamples of the patients in `clusters`.

    `labels` (rows,) in {0, 1, -1 = left out}, `scores` (rows,), `clusters` (rows,) any hashable names. `method`: the
    percentiles of the resamples, `bca_interval`, or for few patients `logit_t_interval`, which resamples nothing.
    (NaN, NaN) when the AUC is undefined or no stratum has two patients, so that nothing could vary.
    """
    known = np.ravel(labels) >= 0
    labels, scores, clusters = (np.ravel(values)[known] for values in (labels, scores, clusters))
    area = auc(labels, scores)
    if np.isnan(area) or not _varies(labels, clusters):
        return NOTHING
    if method == "percentile":
        return percentile_interval(resampled_auc(labels, scores, clusters, n, seed))
    left_out, strata = leave_one_out_auc(labels, scores, clusters), cluster_strata(labels, clusters)
    if method == "t":
        return logit_t_interval(area, left_out, strata)
    return bca_interval(area, resampled_auc(labels, scores, clusters, n, seed), left_out, strata)


def paired_difference(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    clusters: ArrayLike,
    n: int = RESAMPLES,
    seed: int = 0,
    method: Method = "percentile",
) -> tuple[float, float, float]:
    """(difference, low, high): AUC of `scores_a` minus that of `scores_b` on the same rows, with its 95 % interval.

    Both are resampled with the same patients, which cancels what they have in common. Arrays and `method` as in
    `clustered_bootstrap` (`t_interval` for few patients), and NaN for the same reasons.
    """
    known = np.ravel(labels) >= 0
    labels, a, b, clusters = (np.ravel(values)[known] for values in (labels, scores_a, scores_b, clusters))
    difference = auc(labels, a) - auc(labels, b)
    if np.isnan(difference) or not _varies(labels, clusters):
        return difference, float("nan"), float("nan")
    left_out = leave_one_out_auc(labels, a, clusters) - leave_one_out_auc(labels, b, clusters)
    strata = cluster_strata(labels, clusters)
    if method == "t":
        return (difference, *t_interval(difference, left_out, strata))
    gaps = resampled_auc(labels, a, clusters, n, seed) - resampled_auc(labels, b, clusters, n, seed)
    if method == "percentile":
        return (difference, *percentile_interval(gaps))
    return (difference, *bca_interval(difference, gaps, left_out, strata))


def cluster_strata(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for each cluster (clusters,), in sorted order: only normal, only tumor, or both."""
    _, group = np.unique(clusters, return_inverse=True)
    tumor = np.bincount(group, weights=labels == TUMOR)
    normal = np.bincount(group, weights=labels == NORMAL)
    return np.where(normal == 0, 1, np.where(tumor == 0, 0, 2))


def resample_counts(strata: np.ndarray, n: int, seed: int, block: int) -> Iterator[np.ndarray]:
    """How often each cluster is drawn in each of `n` resamples, `block` of them at a time (<= block, clusters).

    Rows sum to the number of clusters in each stratum. The counts depend on the seed alone, not on the block.
    """
    generator, clusters = np.random.default_rng(seed), len(strata)
    order = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    size, first = (np.repeat(values, sizes) for values in (sizes, np.cumsum(sizes) - sizes))
    for start in range(0, n, block):
        drawn = generator.random((min(block, n - start), clusters))
        drawn = order[first + (drawn * size).astype(np.intp)] + clusters * np.arange(len(drawn))[:, None]
        yield np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)


def resampled_auc(labels: np.ndarray, scores: np.ndarray, clusters: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The AUC (n,) of each of `n` resamples of the `clusters`; `labels` (rows,) in {0, 1} hold both classes.

    The same labels, clusters and seed give the same resamples, so that the AUCs of two scores are paired. For each
    tumor patch the normal weight below it, plus half of that at its score, is read off the cumulative weights of the
    sorted normal patches.
    """
    _, group = np.unique(clusters, return_inverse=True)
    normal, tumor = np.flatnonzero(labels == NORMAL), np.flatnonzero(labels == TUMOR)
    normal = normal[np.argsort(scores[normal], kind="stable")]
    below = np.searchsorted(scores[normal], scores[tumor], side="left")
    through = np.searchsorted(scores[normal], scores[tumor], side="right")
    areas = []
    for counts in resample_counts(cluster_strata(labels, clusters), n, seed, max(1, _BLOCK // len(labels))):
        heap = np.zeros((len(counts), len(normal) + 1))
        np.cumsum(counts[:, group[normal]], axis=1, out=heap[:, 1:])
        weight = counts[:, group[tumor]].astype(float)
        outscored = np.einsum("ij,ij->i", weight, heap[:, below] + heap[:, through]) / 2
        areas.append(outscored / (weight.sum(axis=1) * heap[:, -1]))
    return np.concatenate(areas)


def _varies(labels: np.ndarray, clusters: np.ndarray) -> bool:
    return bool(np.bincount(cluster_strata(labels, clusters)).max() >= 2)
