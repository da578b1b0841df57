"""Where a probe is set: a layer of a run, with what it makes of the rows of a cohort."""

from dataclasses import dataclass

import numpy as np

from data_prep.console import require_seed
from data_prep.errors import InputError
from mta.evaluation.intervals import NOTHING, Interval
from mta.explain.cohort import Cohort
from mta.explain.facts import Fact, band
from mta.explain.shuffling import p_value


@dataclass(frozen=True)
class Settings:
    """How probes are made: `folds` of patients that choose a penalty, `shuffles` of the null, `seed` of these.

    Raises:
        InputError: for fewer than two folds, or shuffles or a seed below 0.
    """

    folds: int = 5
    shuffles: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise InputError(f"--folds {self.folds}: give 2 or more")
        if self.shuffles < 0:
            raise InputError(f"--shuffles {self.shuffles}: give 0 or more")
        require_seed(self.seed)


@dataclass(frozen=True)
class Site:
    """A layer of a run.

    Attributes:
        run, layer: names.
        cohort: the rows (n).
        activations: (n, width).
        gradients: (n, width) of the tumor logit, or None where that does not hear the layer.
    """

    run: str
    layer: str
    cohort: Cohort
    activations: np.ndarray
    gradients: np.ndarray | None

    def fact(
        self,
        target: str,
        role: str,
        measure: str,
        value: float,
        patients: np.ndarray,
        interval: Interval = NOTHING,
        null: np.ndarray | None = None,
        two_sided: bool = False,
    ) -> Fact:
        """`value` of a `measure` here, from rows of `patients` (rows,), with its interval and `null` (shuffles,)."""
        null = np.empty(0) if null is None else null
        p = p_value(abs(value), np.abs(null)) if two_sided else p_value(value, null)
        counts = (len(patients), len(np.unique(patients)))
        return Fact(self.run, self.layer, target, role, measure, value, *interval, *band(null), p, *counts)
