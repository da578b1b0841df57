"""95 % intervals over patients of R2, means and accuracies: Student's t on what each is without a patient in turn.

All of them are functions of sums over patients, so that leaving one out costs a subtraction.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from mta.evaluation.intervals import LEVEL, NOTHING, Interval, logit_t_interval, t_interval
from mta.evaluation.jackknife import jackknife_variance


def r2_interval(true: np.ndarray, predicted: np.ndarray, patients: np.ndarray) -> Interval:
    """Of R2 = 1 - SSE / SST of finite `true` and `predicted` (n,): t on log(SSE / SST), whose end is below 1.

    NaN where R2 is 1 or undefined, also without one of the patients, and for fewer than three patients.
    """
    ratio = unexplained(true, predicted, patients)
    if len(ratio) < 4 or not np.isfinite(ratio).all() or (ratio < 1e-12).any():
        return NOTHING
    half = _half_width(np.log(ratio[1:]))
    return float(1 - ratio[0] * np.exp(half)), float(1 - ratio[0] * np.exp(-half))


def unexplained(true: np.ndarray, predicted: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """SSE / SST of all rows, then without each patient in turn, (1 + patients,); not finite where undefined."""
    error = leave_one_out_sums((true - predicted) ** 2, patients)
    centred = true - true.mean()  # of a concept in the thousands, squares would drown the variance
    count, total, square = (leave_one_out_sums(centred**power, patients) for power in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):
        return error / (square - total**2 / count)


def _half_width(left_out: np.ndarray) -> float:
    variance, freedom = jackknife_variance(left_out, np.zeros(len(left_out), int))
    return float(t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance)) if variance else 0.0


def mean_interval(values: np.ndarray, patients: np.ndarray) -> Interval:
    """Of the mean of `values` (n,); NaN for fewer than two patients."""
    sums, count = leave_one_out_sums(values, patients), leave_one_out_sums(np.ones(len(values)), patients)
    if len(sums) < 3:
        return NOTHING
    means = sums / count
    return t_interval(float(means[0]), means[1:], np.zeros(len(means) - 1, int))


def accuracies(true: np.ndarray, predicted: np.ndarray, patients: np.ndarray) -> dict[str, tuple[float, Interval]]:
    """`accuracy` and `balanced_accuracy` (mean share of right rows of a class), each with its interval.

    `true`, `predicted`: (n,) class names. Patients are left out within strata by the classes that they have. The
    interval is on the logit scale: NaN for an accuracy of 0 or 1, or where no stratum has two patients.
    """
    classes = np.unique(true)
    right = np.stack([leave_one_out_sums((true == name) & (predicted == name), patients) for name in classes])
    count = np.stack([leave_one_out_sums(true == name, patients) for name in classes])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "accuracy": right.sum(axis=0) / count.sum(axis=0),
            "balanced_accuracy": np.nanmean(np.where(count > 0, right / count, np.nan), axis=0),
        }
    strata = _strata(true, patients, classes)
    return {name: (float(values[0]), _rate_interval(values, strata)) for name, values in found.items()}


def _rate_interval(values: np.ndarray, strata: np.ndarray) -> Interval:
    return logit_t_interval(float(values[0]), values[1:], strata) if len(values) > 2 else NOTHING


def _strata(true: np.ndarray, patients: np.ndarray, classes: Sequence[str] | np.ndarray) -> np.ndarray:
    """A number for each patient (patients,), the same for two whose rows are of the same classes."""
    _, group = np.unique(patients, return_inverse=True)
    holds = np.stack([np.bincount(group, weights=true == name) > 0 for name in classes], axis=1)
    return np.unique(holds, axis=0, return_inverse=True)[1].ravel()


def leave_one_out_sums(values: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """The sum of `values` (n,), then that without each patient in turn, in sorted order: (1 + patients,)."""
    _, group = np.unique(patients, return_inverse=True)
    sums = np.bincount(group, weights=values)
    return np.concatenate([[sums.sum()], sums.sum() - sums])
