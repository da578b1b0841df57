"""Means over patches, with intervals over patients."""

import numpy as np

from mta.evaluation.intervals import NOTHING
from mta.explain.clustered import mean_interval


def patient_mean(values: np.ndarray, patients: np.ndarray) -> tuple[float, float, float]:
    """(mean, low, high) of the finite `values` (n,), with the 95 % interval of `mean_interval` over `patients` (n,).

    NaN without a value; no interval with one patient.
    """
    known = np.isfinite(values)
    if not known.any():
        return float("nan"), *NOTHING
    values = values[known].astype(float)
    return float(values.mean()), *mean_interval(values, patients[known])
