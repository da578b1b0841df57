"""Ridge regression of many targets on one set of features, each with its own penalty chosen by held-out patients."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold

from data_prep.errors import InputError

# Times the number of rows, for features whose mean variance is 1.
PENALTIES = tuple(10.0**power for power in range(-5, 4))


@dataclass(frozen=True)
class Ridge:
    """Linear maps from features to targets.

    Attributes:
        weights: (features, targets), target per unit of a feature.
        intercepts: (targets,).
        penalties: (targets,), those chosen, of `PENALTIES`.
    """

    weights: np.ndarray
    intercepts: np.ndarray
    penalties: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Targets (n, targets) for `features` (n, features)."""
        return features @ self.weights + self.intercepts


class RidgeFit:
    """Ridge regression of `targets` (n, targets) on `features` (n, features), for any penalties.

    Features are centred and divided by one number (the root of their mean variance), so that a penalty shrinks what
    varies little, as in a principal-component regression, and means the same in every layer. The smaller of the two
    Gram matrices is decomposed once.
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray) -> None:
        features, targets = features.astype(np.float64), targets.astype(np.float64)
        self._rows, self._mean, self._target_mean = len(features), features.mean(axis=0), targets.mean(axis=0)
        self._spread = np.sqrt(features.var(axis=0).mean()) or 1.0
        x, y = (features - self._mean) / self._spread, targets - self._target_mean
        wide = x.shape[1] > x.shape[0]
        self._values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
        self._basis = x.T @ vectors if wide else vectors
        self._loads = vectors.T @ y if wide else vectors.T @ (x.T @ y)

    def weights(self, penalty: float | np.ndarray) -> np.ndarray:
        """(features, targets) for one penalty, or one for each target."""
        return self._basis @ (self._loads / (self._values[:, None] + np.asarray(penalty) * self._rows)) / self._spread

    def ridge(self, penalties: np.ndarray) -> Ridge:
        """The maps with one penalty (targets,) for each target."""
        weights = self.weights(penalties)
        return Ridge(weights, self._target_mean - self._mean @ weights, penalties)

    def predict(self, features: np.ndarray, penalty: float) -> np.ndarray:
        """Targets (n, targets) for `features` (n, features) with one penalty for all."""
        return (features - self._mean) @ self.weights(penalty) + self._target_mean


def choose_penalties(features: np.ndarray, targets: np.ndarray, patients: np.ndarray, folds: int) -> np.ndarray:
    """For each target the one of `PENALTIES` (targets,) with the least squared error on left-out patients.

    Args:
        features: (n, features), finite.
        targets: (n, targets), finite.
        patients: (n,) names; left out together.
        folds: of the patients.

    Raises:
        InputError: when there are fewer patients than folds.
    """
    require_patients(patients, folds)
    errors = np.zeros((len(PENALTIES), targets.shape[1]))
    for inside, outside in GroupKFold(folds).split(features, groups=patients):
        fit = RidgeFit(features[inside], targets[inside])
        for place, penalty in enumerate(PENALTIES):
            errors[place] += ((fit.predict(features[outside], penalty) - targets[outside]) ** 2).sum(axis=0)
    return np.array(PENALTIES)[errors.argmin(axis=0)]


def require_patients(patients: np.ndarray, folds: int) -> None:
    """Raise InputError unless the rows (n,) are of two patients, and of as many as there are `folds`."""
    found = len(np.unique(patients))
    if found < 2:
        raise InputError("all rows to be fitted are of one patient; a probe needs two or more to choose its penalty by")
    if found < folds:
        raise InputError(f"{found} patients are fewer than {folds} folds; give --folds {found} or fewer")


def unit(vectors: np.ndarray) -> np.ndarray:
    """`vectors` (features, n) of length 1; 0 where one is."""
    length = np.linalg.norm(vectors, axis=0)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
