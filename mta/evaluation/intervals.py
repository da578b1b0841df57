"""From resamples to an interval: percentile, BCa, and Student's t on the logit scale for few patients."""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, t

from mta.evaluation.jackknife import acceleration, jackknife_variance

LEVEL = 0.95
Interval = tuple[float, float]
NOTHING: Interval = (float("nan"), float("nan"))


def percentile_interval(replicates: np.ndarray) -> Interval:
    """The central 95 % (low, high) of `replicates` (n,)."""
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def bca_interval(estimate: float, replicates: np.ndarray, left_out: np.ndarray, strata: np.ndarray) -> Interval:
    """95 % bias-corrected and accelerated interval (Efron 1987; several strata: Davison & Hinkley 1997, 5.3.2).

    `replicates` (n,) are resampled values of `estimate`, `left_out` (clusters,) its values without each cluster,
    `strata` (clusters,) as from `cluster_strata`. Replicates equal to the estimate count half to the bias; where all
    are above or below it the bias is that of one in n, and the interval still ends within the replicates.
    """
    n = len(replicates)
    below = ((replicates < estimate).sum() + (replicates == estimate).sum() / 2) / n
    bias = norm.ppf(np.clip(below, 1 / n, 1 - 1 / n))
    reach = bias + norm.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    shares = norm.cdf(bias + reach / (1 - acceleration(left_out, strata) * reach))
    low, high = np.quantile(replicates, shares)
    return float(low), float(high)


def logit_t_interval(estimate: float, left_out: np.ndarray, strata: np.ndarray) -> Interval:
    """95 % interval logit(A) +- t SE / (A (1 - A)), with the jackknife's SE over clusters and degrees of freedom.

    Wider than the bootstrap where patients are few, and within [0, 1]. NaN where nothing varies, or A is 0 or 1.
    """
    variance, freedom = jackknife_variance(left_out, strata)
    if not variance or not 0 < estimate < 1:
        return NOTHING
    half = t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance) / (estimate * (1 - estimate))
    return float(expit(logit(estimate) - half)), float(expit(logit(estimate) + half))


def t_interval(estimate: float, left_out: np.ndarray, strata: np.ndarray) -> Interval:
    """95 % interval estimate +- t SE for a difference of AUCs, as `logit_t_interval` but untransformed.

    Without width where nothing varies, as between equal scores.
    """
    variance, freedom = jackknife_variance(left_out, strata)
    half = float(t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance)) if variance else 0.0
    return estimate - half, estimate + half
