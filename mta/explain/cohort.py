"""Which rows a probe is fitted to and scored on, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from data_prep.concepts import RANDOM, random_concept
from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.splits import patient_keys
from mta.data.dataset import Dataset
from mta.explain.ridge import require_patients

TESTS = ("internal_test", "external_test")
HELD_OUT = "held_out"
CLASSES = {0: "normal", 1: "tumor"}
PATCHES = 5000


@dataclass(frozen=True)
class Cohort:
    """Rows by what they serve for.

    Attributes:
        rows: (n,) positions in the store of all that are used, ascending.
        roles, patients, labels, centres: (n,) of these rows; labels "normal", "tumor" or "", centres "" where unknown.
        concepts: name -> (n,) raw values, NaN where unknown.
    """

    rows: np.ndarray
    roles: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    centres: np.ndarray
    concepts: dict[str, np.ndarray]

    def of(self, *roles: str) -> np.ndarray:
        """Whether each row (n,) has one of `roles`."""
        return np.isin(self.roles, roles)

    @property
    def tests(self) -> list[str]:
        """The roles that probes are scored on and that have rows."""
        return [role for role in (HELD_OUT, *TESTS) if self.of(role).any()]


def choose_cohort(data: Dataset, roles: Sequence[str], most: int = PATCHES, seed: int = 0) -> Cohort:
    """At most `most` rows of each of `roles`, drawn by `seed`.

    Raises:
        InputError: when there is no training or no other row among them.
    """
    if most < 2:
        raise InputError(f"--patches {most}: give 2 or more")
    generator = np.random.default_rng(seed)
    rows = np.sort(np.concatenate([generator.permutation(data.of(role))[:most] for role in roles]))
    found = set(data.roles[rows])
    if "train" not in found or len(found) < 2:
        raise InputError(f"{data.name}: a probe needs rows with the role train and with one of {', '.join(roles[1:])}")
    table = data.rows.iloc[rows]
    return Cohort(
        rows,
        data.roles[rows],
        patient_keys(data.rows)[rows],
        np.array([CLASSES.get(int(label), "") for label in data.labels[rows]]),
        table["centre"].to_numpy(str),
        {name: data.concepts[name].to_numpy(float)[rows] for name in data.concepts},
    )


def held_out(cohort: Cohort) -> Cohort:
    """`cohort` with validation and internal test as one role, of patients that no weight was fitted to."""
    inside = cohort.of("validation", "internal_test")
    # NumPy cuts a longer name to the width of those that are there.
    return replace(cohort, roles=np.where(inside, HELD_OUT, cohort.roles.astype(object)).astype(str))


def with_control(cohort: Cohort, data: Dataset, seed: int) -> Cohort:
    """`cohort` with the concept `random`, which says nothing about a patch, unless it is there."""
    if RANDOM in cohort.concepts:
        return cohort
    control = random_concept(data.rows, seed)[cohort.rows]
    return replace(cohort, concepts={**cohort.concepts, RANDOM: control})


def probeable_concepts(cohort: Cohort, named: bool, folds: int) -> list[str]:
    """The concepts that a probe can learn: they vary over training rows of at least `folds` patients.

    Args:
        cohort: with concepts.
        named: whether the user asked for each of them; otherwise others are left out with a warning.
        folds: of the training patients.

    Raises:
        InputError: for fewer training patients than folds, and for a concept that is named and cannot be learned.
    """
    training = cohort.of("train")
    require_patients(cohort.patients[training], folds)
    kept = []
    for name, values in cohort.concepts.items():
        known = training & np.isfinite(values)
        reason = _obstacle(values[known], cohort.patients[known], folds)
        if reason and named:
            raise InputError(f"the concept {name!r} {reason}; leave it out of --concepts")
        if reason:
            warn(f"the concept {name!r} {reason}, and is left out")
        else:
            kept.append(name)
    return kept


def _obstacle(known: np.ndarray, patients: np.ndarray, folds: int) -> str:
    """Why nothing can be learned of the values (n,) of training rows, "" where something can."""
    if not len(known):
        return "is known for no training row"
    if np.ptp(known) <= 1e-12 * max(1.0, abs(float(known.mean()))):
        return f"is {known[0]:g} on every training row"
    found = len(np.unique(patients))
    return f"is known for {found} training patients, fewer than {folds} folds" if found < folds else ""
