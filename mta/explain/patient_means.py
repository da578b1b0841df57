"""Means over patches with intervals that resample patients."""

import numpy as np

from mta.evaluation.bootstrap import RESAMPLES, resample_counts
from mta.evaluation.intervals import NOTHING, percentile_interval

_BLOCK = 256


def patient_mean(
    values: np.ndarray, patients: np.ndarray, n: int = RESAMPLES, seed: int = 0
) -> tuple[float, float, float]:
    """(mean, low, high) of the finite `values` (n,), with the 95 % percentile interval over resampled `patients` (n,).

    NaN without a value; no interval with one patient.
    """
    known = np.isfinite(values)
    values, patients = values[known].astype(float), patients[known]
    if not len(values):
        return float("nan"), *NOTHING
    _, group = np.unique(patients, return_inverse=True)
    sums, sizes = np.bincount(group, weights=values), np.bincount(group)
    if len(sizes) < 2:
        return float(values.mean()), *NOTHING
    drawn = resample_counts(np.zeros(len(sizes), int), n, seed, _BLOCK)
    means = np.concatenate([counts @ sums / (counts @ sizes) for counts in drawn])
    return float(values.mean()), *percentile_interval(means)
