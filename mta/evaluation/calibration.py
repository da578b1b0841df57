"""Whether a probability of 0.8 is right in 80 % of cases: ECE, Brier score, reliability curve, temperature."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import expit

from data_prep.errors import InputError
from mta.evaluation.checks import labelled

Binning = Literal["width", "count"]
BINS = 15
_HOTTEST = 100.0  # temperatures are looked for between 1 / 100 and 100


@dataclass(frozen=True)
class Reliability:
    """For each bin that is not empty (bins,): mean probability, share of tumor, and number of rows."""

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray


def reliability(labels: ArrayLike, probabilities: ArrayLike, bins: int = BINS, by: Binning = "width") -> Reliability:
    """The reliability curve of P(tumor) `probabilities` (n,) in [0, 1] against `labels` (n,) in {0, 1, -1 = left out}.

    `by` "width": bins equally wide, closed above; "count": as equally filled as equal probabilities, which
    stay together, allow. Raises `InputError` for probabilities that are not finite or outside [0, 1], or one class
    only.
    """
    labels, chances = _probabilities(labels, probabilities)
    if by == "width":
        place = np.clip(np.ceil(chances * bins).astype(int) - 1, 0, bins - 1)
    else:
        edges = np.quantile(chances, np.arange(1, bins) / bins, method="inverted_cdf")
        place = np.searchsorted(edges, chances, side="left")
    counts = np.bincount(place, minlength=bins)
    predicted, tumor = (np.bincount(place, weights=values, minlength=bins) for values in (chances, labels))
    full = counts > 0
    return Reliability(predicted[full] / counts[full], tumor[full] / counts[full], counts[full])


def calibration_error(labels: ArrayLike, probabilities: ArrayLike, bins: int = BINS, by: Binning = "width") -> float:
    """Expected calibration error in [0, 1]: mean |predicted - observed| over bins, weighted by their rows.

    Naeini et al. (AAAI 2015), for P(tumor) rather than for the confidence in the named class. Equal widths are the
    habit, equal counts (Nguyen & O'Connor 2015) the less noisy. Biased upwards when bins hold few rows. Arguments and
    errors are those of `reliability`.
    """
    curve = reliability(labels, probabilities, bins, by)
    return float((curve.counts * np.abs(curve.predicted - curve.observed)).sum() / curve.counts.sum())


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared error of P(tumor), in [0, 1] (Brier 1950); 0.25 for 0.5 throughout. As in `reliability`."""
    labels, chances = _probabilities(labels, probabilities)
    return float(((chances - labels) ** 2).mean())


def fit_temperature(labels: ArrayLike, logits: ArrayLike) -> float:
    """The T in [0.01, 100] for which P(tumor) = sigmoid(logit / T) is likeliest (Guo et al., ICML 2017).

    `labels` (n,) in {0, 1, -1 = left out} and `logits` (n,) of validation rows; T > 1 says that the model is too sure
    of itself. Raises `InputError` for logits that are not finite, one class only, or where no T within these bounds is
    best.
    """
    labels, logits = labelled(labels, logits)

    def loss(log_temperature: float) -> float:
        scaled = logits * np.exp(-log_temperature)
        return float((np.logaddexp(0, scaled) - labels * scaled).mean())

    bound = np.log(_HOTTEST)
    found = float(minimize_scalar(loss, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-8}).x)
    if bound - abs(found) < 1e-3:
        reason = "no better than chance" if found > 0 else "all on the right side"
        raise InputError(f"no temperature fits: the {len(labels)} logits are {reason}; take other rows to fit it on")
    return float(np.exp(found))


def apply_temperature(logits: ArrayLike, temperature: float) -> np.ndarray:
    """P(tumor) (n,) of `logits` (n,) at a temperature. Ranks, and so AUCs, stay as they are."""
    return np.asarray(expit(np.ravel(logits).astype(float) / temperature))


def _probabilities(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    known, chances = labelled(labels, probabilities)
    if outside := int(((chances < 0) | (chances > 1)).sum()):
        raise InputError(
            f"{outside} of {len(chances)} probabilities are outside [0, 1]; give probabilities, not logits"
        )
    return known, chances
