"""Probes of classes: a logistic regression or a small network on features, its penalty chosen by left-out patients."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier

from mta.explain.ridge import require_patients


@dataclass(frozen=True)
class Kind:
    """A way to classify.

    Attributes:
        make: from a penalty and the number of rows to an untrained classifier of scikit-learn.
        penalties: to choose from.
    """

    make: Callable[[float, int], Any]
    penalties: Sequence[float]


def _logistic(penalty: float, rows: int) -> LogisticRegression:
    return LogisticRegression(C=1 / (penalty * rows), max_iter=1000)


def _balanced(penalty: float, rows: int) -> LogisticRegression:
    return LogisticRegression(C=1 / (penalty * rows), max_iter=1000, class_weight="balanced")


def _network(penalty: float, rows: int) -> MLPClassifier:
    return MLPClassifier((64,), alpha=penalty, max_iter=100, random_state=0)


LOGISTIC = Kind(_logistic, (1e-4, 1e-3, 1e-2, 1e-1, 1.0))
BALANCED = Kind(_balanced, LOGISTIC.penalties)
NETWORK = Kind(_network, (1e-3, 1e-1, 10.0))


@dataclass(frozen=True)
class Classifier:
    """A trained probe.

    Attributes:
        mean, spread: (features,) of the rows it was fitted to.
        model: of scikit-learn, on standardized features.
        penalty: that was chosen.
    """

    mean: np.ndarray
    spread: np.ndarray
    model: Any
    penalty: float

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Class names (n,) for `features` (n, features)."""
        return self.model.predict((features - self.mean) / self.spread)

    def score(self, features: np.ndarray) -> np.ndarray:
        """Of two classes, how likely the second by name is: (n,), increasing with its probability."""
        return self.model.predict_proba((features - self.mean) / self.spread)[:, 1]


def fit_classifier(
    features: np.ndarray, names: np.ndarray, patients: np.ndarray, kind: Kind = LOGISTIC, folds: int = 5
) -> Classifier:
    """The penalty that is right on most rows of left-out patients (the larger of equals), and the fit to all rows.

    Args:
        features: (n, features), finite.
        names: (n,) class of each row, two or more.
        patients: (n,) names; left out together.
        kind: `LOGISTIC`, `BALANCED` (every class weighs the same) or `NETWORK`.
        folds: of the patients.

    Raises:
        InputError: when there are fewer patients than folds.
    """
    require_patients(patients, folds)
    features = features.astype(np.float64)
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = (features - mean) / spread
    with warnings.catch_warnings():
        # Stopped early it is a weaker probe, not a wrong one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        right = [sum(_right(scaled, names, patients, kind, folds, penalty)) for penalty in kind.penalties]
        best = max(zip(right, kind.penalties, strict=True))[1]
        return Classifier(mean, spread, kind.make(best, len(scaled)).fit(scaled, names), best)


def _right(
    features: np.ndarray, names: np.ndarray, patients: np.ndarray, kind: Kind, folds: int, penalty: float
) -> Iterator[int]:
    """How many rows of each fold are told right; folds that leave one class to learn are passed over."""
    for inside, outside in GroupKFold(folds).split(features, groups=patients):
        if len(np.unique(names[inside])) > 1:
            model = kind.make(penalty, len(inside)).fit(features[inside], names[inside])
            yield int((model.predict(features[outside]) == names[outside]).sum())
