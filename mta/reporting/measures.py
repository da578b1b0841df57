"""The numbers of the page, with the intervals that `docs/statistics.md` recommends."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import patient_keys
from mta.evaluation import auc, clustered_bootstrap, delong_interval, patients_of
from mta.evaluation.bootstrap import Method
from mta.evaluation.intervals import NOTHING, Interval

MANY_PATIENTS = 100
"""From so many on, resampled intervals hold the truth as often as they say."""


@dataclass(frozen=True)
class Measure:
    """A value in [0, 1] with its 95 % interval (NaN where undefined)."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        return spoken(self.value, self.interval)


def spoken(value: float | None, interval: tuple[float | None, float | None] = NOTHING, sign: str = "") -> str:
    """A number with its interval in three digits; a dash where it is undefined. `sign` as in `format`."""
    if value is None or not np.isfinite(value):
        return "–"
    low, high = (np.nan if end is None else float(end) for end in interval)
    return f"{value:{sign}.3f}" + (f" [{low:{sign}.3f}, {high:{sign}.3f}]" if np.isfinite([low, high]).all() else "")


def method_for(patients: int) -> Method:
    """How an interval over so many patients is made."""
    return "t" if patients < MANY_PATIENTS else "bca"


def patch_auc(part: pd.DataFrame) -> Measure:
    """AUC by patch, its interval over patients."""
    clusters = patient_keys(part)
    labels, logits = part["label"], part["logit"]
    method = method_for(len(np.unique(clusters[labels.to_numpy() >= 0])))
    return Measure(auc(labels, logits), clustered_bootstrap(labels, logits, clusters, method=method))


def patient_auc(part: pd.DataFrame) -> Measure:
    """AUC by patient (mean logit; tumor when any patch is), its interval by DeLong."""
    labels, logits = patients_of(part["label"], part["logit"], patient_keys(part))
    try:
        interval = delong_interval(labels, logits)
    except InputError:  # too few patients of one class: a number without an interval, or none
        interval = NOTHING
    return Measure(auc(labels, logits), interval)
