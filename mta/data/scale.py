"""Concepts in units of their own spread."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.errors import InputError


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation (population) of one concept over the training rows, in its own unit."""

    mean: float
    std: float
    unit: str = ""

    def standardize(self, values: np.ndarray) -> np.ndarray:
        """Values (n,) in standard deviations from the mean; NaN stays."""
        return (values - self.mean) / self.std

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Values (n,) in the concept's unit again."""
        return values * self.std + self.mean


def fit_scales(table: pd.DataFrame, training: np.ndarray, names: tuple[str, ...]) -> dict[str, Scale]:
    """A scale for each concept from its known values on the `training` rows (positions).

    Raises:
        InputError: when a concept is in no row of the training set, or the same in all of them.
    """
    units = table.attrs.get("units", {})
    return {name: _fit(name, table[name].to_numpy(float)[training], units.get(name, "")) for name in names}


def _fit(name: str, values: np.ndarray, unit: str) -> Scale:
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError(f"no training row has a value for the concept {name!r}; measure it, or leave it out")
    mean, std = float(values.mean()), float(values.std())
    if std <= 1e-12 * max(1.0, abs(mean)):
        raise InputError(f"the concept {name!r} is {mean:g} on every training row; leave it out")
    return Scale(mean, std, unit)
