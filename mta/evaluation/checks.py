"""What has to be there before a number means something: one line each where it is not."""

import numpy as np
from numpy.typing import ArrayLike

from data_prep.errors import InputError
from mta.evaluation.scores import NORMAL, TUMOR


def labelled(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Integer labels (n,) in {0, 1} and finite scores (n,) of the rows whose label is not -1.

    Raises `InputError` when a score is NaN or infinite, or one class only is there.
    """
    labels, scores = np.ravel(labels), np.ravel(scores).astype(float)
    known = labels >= 0
    labels, scores = labels[known].astype(int), scores[known]
    if broken := int((~np.isfinite(scores)).sum()):
        raise InputError(f"{broken} of {len(scores)} predictions are not finite; look for where the model gave NaN")
    require_both(labels)
    return labels, scores


def require_both(labels: np.ndarray) -> None:
    """Raises `InputError` when `labels` (n,) lack tumor or normal rows."""
    for value, name in ((TUMOR, "tumor"), (NORMAL, "normal")):
        if not (labels == value).any():
            raise InputError(f"none of the {len(labels)} labelled rows is {name}; this needs rows of both classes")


def require_two_patients(clusters: np.ndarray) -> None:
    """Raises `InputError` when the rows (n,) are of one patient alone."""
    if len(np.unique(clusters)) < 2:
        raise InputError("all rows are of one patient; an interval over patients needs two or more")
