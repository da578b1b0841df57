"""Calibration and the operating point of the rows of one role, for `metrics.json`. Undefined is NaN."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy.special import expit

from data_prep.errors import InputError
from data_prep.splits import patient_keys
from mta.evaluation.calibration import apply_temperature, brier, calibration_error, fit_temperature
from mta.evaluation.intervals import Interval
from mta.evaluation.operating import OperatingPoint, operating_point, threshold_at_specificity
from mta.evaluation.scores import NORMAL, TUMOR

SPECIFICITY = 0.95
_NAN = float("nan")
_UNKNOWN = OperatingPoint(_NAN, _NAN, (_NAN, _NAN), _NAN, (_NAN, _NAN))


def calibration(part: pd.DataFrame, validation: pd.DataFrame) -> dict[str, float]:
    """`ece` and `ece_equal_count` (15 bins) and `brier` of the patches in `part`, both tables of predictions.

    `temperature` is fitted on `validation`, `ece_temperature` the `ece` with it. NaN where a table lacks a class or has
    predictions that are not finite, or where no temperature fits.
    """
    names = ("ece", "ece_equal_count", "brier", "temperature", "ece_temperature")
    if not _measurable(part):
        return dict.fromkeys(names, _NAN)
    labels, logits = part["label"], part["logit"].to_numpy(float)
    chances, temperature = expit(logits), _temperature(validation)
    mended = _NAN if np.isnan(temperature) else calibration_error(labels, apply_temperature(logits, temperature))
    plain, even = calibration_error(labels, chances), calibration_error(labels, chances, by="count")
    return dict(zip(names, (plain, even, brier(labels, chances), temperature, mended), strict=True))


def operating(part: pd.DataFrame, validation: pd.DataFrame, seed: int = 0) -> Mapping[str, float | Interval]:
    """`OperatingPoint` of the patches in `part`, as a dictionary, with the specificity that was asked for.

    `threshold` is the logit above which 5 % of the normal patches of `validation` lie. NaN where one of the tables
    lacks a class or has predictions that are not finite, or `part` has one patient.
    """
    point, patients = _UNKNOWN, patient_keys(part)
    several = len(np.unique(patients[part["label"].to_numpy() >= 0])) > 1
    if _measurable(part) and _measurable(validation) and several:
        threshold = threshold_at_specificity(validation["label"], validation["logit"], SPECIFICITY)
        point = operating_point(part["label"], part["logit"], patients, threshold, seed=seed)
    return {"validation_specificity": SPECIFICITY} | asdict(point)


def _measurable(part: pd.DataFrame) -> bool:
    labelled = part[part["label"] >= 0]
    both = {NORMAL, TUMOR} <= set(labelled["label"])
    return both and bool(np.isfinite(labelled["logit"].to_numpy(float)).all())


def _temperature(validation: pd.DataFrame) -> float:
    try:
        return fit_temperature(validation["label"], validation["logit"]) if _measurable(validation) else _NAN
    except InputError:  # separable, or no better than chance: a number of small validation sets, no bad input
        return _NAN
