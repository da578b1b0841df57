"""Single numbers: area under the ROC curve, R2, mean squared error, domain accuracy. Undefined is NaN."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

NORMAL, TUMOR = 0, 1


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve in [0, 1]: how often a tumor patch outscores a normal one, ties counting half.

    The Mann-Whitney statistic by mid-ranks (Hanley & McNeil, Radiology 1982), exact with ties. `labels` (n,) are
    0, 1, or -1 for rows to leave out; `scores` (n,) is any increasing function of the probability. NaN when
    only one class is there or a score is NaN.
    """
    labels, scores = np.ravel(labels), np.ravel(scores)
    tumor, known = labels == TUMOR, labels >= 0
    positives, negatives = int(tumor.sum()), int((labels == NORMAL).sum())
    if not positives or not negatives or np.isnan(scores[known]).any():
        return float("nan")
    ranks = rankdata(scores[known])
    surplus = ranks[tumor[known]].sum() - positives * (positives + 1) / 2
    return float(surplus / (positives * negatives))


def patients_of(labels: ArrayLike, scores: ArrayLike, patients: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """(label, score) of each patient with a labelled patch, both (patients,), in the order of their names.

    A patient is tumor when any labelled patch is; the score is the mean over the labelled patches.
    """
    labels, scores, patients = np.ravel(labels), np.ravel(scores).astype(float), np.ravel(patients)
    known = labels >= 0
    _, group = np.unique(patients[known], return_inverse=True)
    count = np.bincount(group)
    tumor = np.bincount(group, weights=labels[known] == TUMOR) > 0
    return tumor.astype(int), np.bincount(group, weights=scores[known]) / count


def auc_by_patient(labels: ArrayLike, scores: ArrayLike, patients: ArrayLike) -> float:
    """`auc` over patients instead of patches, with the rules of `patients_of`. All three are (n,)."""
    return auc(*patients_of(labels, scores, patients))


def r2(true: ArrayLike, predicted: ArrayLike) -> float:
    """Coefficient of determination, 1 - SSE / SST, at most 1, over the rows where both (n,) are finite.

    NaN when there are fewer than two such rows or their true values are all equal.
    """
    true, predicted = _both_finite(true, predicted)
    if len(true) < 2 or np.ptp(true) == 0:
        return float("nan")
    return float(1 - ((true - predicted) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def mse(true: ArrayLike, predicted: ArrayLike) -> float:
    """Mean squared error in squared units of `true`, over the rows where both (n,) are finite; NaN without any."""
    true, predicted = _both_finite(true, predicted)
    return float(((true - predicted) ** 2).mean()) if len(true) else float("nan")


def _both_finite(true: ArrayLike, predicted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    true, predicted = np.ravel(true).astype(float), np.ravel(predicted).astype(float)
    known = np.isfinite(true) & np.isfinite(predicted)
    return true[known], predicted[known]


def domain_metrics(true: ArrayLike, predicted: ArrayLike, classes: int) -> dict[str, float]:
    """How well the domain is told, with what guessing would reach, all in [0, 1].

    `true` (n,) and `predicted` (n,) are class numbers; rows whose `true` is -1 (unknown, or unseen in training)
    are left out. `accuracy` is the share told right, `chance` = 1 / `classes` (the number seen in training),
    `majority` the share of the most frequent true class. NaN where undefined.
    """
    true, predicted = np.ravel(true).astype(int), np.ravel(predicted).astype(int)
    seen = true >= 0
    nothing = not seen.any()
    return {
        "accuracy": float("nan") if nothing else float((true[seen] == predicted[seen]).mean()),
        "chance": 1 / classes if classes else float("nan"),
        "majority": float("nan") if nothing else float(np.bincount(true[seen]).max() / seen.sum()),
    }


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """(false, true) positive rates in [0, 1], from (0, 0) to (1, 1), one point for each distinct score.

    Rows with label -1 are left out. Both arrays are empty where `auc` is NaN.
    """
    labels, scores = np.ravel(labels), np.ravel(scores)
    if np.isnan(auc(labels, scores)):
        return np.empty(0), np.empty(0)
    values, group = np.unique(-scores[labels >= 0], return_inverse=True)
    tumor = labels[labels >= 0] == TUMOR
    rates = [np.bincount(group, weights=kind, minlength=len(values)) for kind in (~tumor, tumor)]
    false, true = (np.concatenate([[0], np.cumsum(rate) / rate.sum()]) for rate in rates)
    return false, true
