"""Whether mean part weights tell tumor from normal, beside random directions."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mta.evaluation.bootstrap import clustered_bootstrap, paired_difference
from mta.evaluation.scores import auc

FOLDS = 5


def grouped_logits(features: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Logits (n,) of a standardized logistic regression on `features` (n, K), each patient's by the others.

    Folds of whole patients, at most five and no more than patients of a class. NaN where a fold leaves one class to
    learn from.
    """
    found = np.full(len(labels), np.nan)
    folds = min([FOLDS, *(len(np.unique(patients[labels == label])) for label in np.unique(labels))])
    if folds < 2:
        return found
    # Logits of all folds are ranked together: other shares of the classes in each would rank them below chance.
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=0).split
    for train, test in split(features, labels, patients):
        if len(np.unique(labels[train])) == 2:
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
            found[test] = model.fit(features[train], labels[train]).decision_function(features[test])
    return found


def label_prediction(
    parts: np.ndarray, random: np.ndarray, labels: np.ndarray, patients: np.ndarray
) -> dict[str, tuple[float, float, float]]:
    """(value, low, high): `label auc` from mean weights of `parts` (n, K), of `random` directions, and their `gain`.

    Only labelled rows count. Empty where the label cannot be learned: one class or too few patients.
    """
    known = labels >= 0
    ours, others = (grouped_logits(values[known], labels[known], patients[known]) for values in (parts, random))
    labels, patients = labels[known], patients[known]
    if np.isnan(auc(labels, ours)) or np.isnan(auc(labels, others)):
        return {}
    return {
        "label auc": (auc(labels, ours), *clustered_bootstrap(labels, ours, patients, method="t")),
        "label auc, random directions": (
            auc(labels, others),
            *clustered_bootstrap(labels, others, patients, method="t"),
        ),
        "label auc, gain": paired_difference(labels, ours, others, patients, method="t"),
    }
