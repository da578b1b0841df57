"""Whether a table of predictions gives a measure."""

from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import ROLES, patient_keys
from mta.evaluation.checks import labelled, require_two_patients

TESTS = ("internal_test", "external_test")


def require_classes(predictions: pd.DataFrame, path: Path) -> None:
    """Raise `InputError` for no role, and for a role with one class or with logits that are not finite.

    `predictions`: as `read_predictions` gives them, from the file `path`.
    """
    if not predictions["role"].isin(ROLES).any():
        raise InputError(f"{path}: no row has a role; `python -m mta.evaluate RUN` writes them")
    for role, part in predictions[predictions["role"].isin(ROLES)].groupby("role"):
        try:
            labelled(part["label"], part["logit"])
        except InputError as error:
            raise InputError(f"{path}, {role}: {error}") from error


def require_tests(predictions: pd.DataFrame, path: Path) -> None:
    """The same, and `InputError` where there is no test."""
    require_classes(predictions, path)
    if not predictions["role"].isin(TESTS).any():
        raise InputError(f"{path}: no row has a test role; train with a split that has one, as --split patient")


def require_patients(predictions: pd.DataFrame, path: Path) -> None:
    """The same, and `InputError` for a test of a single patient."""
    require_tests(predictions, path)
    for role, part in predictions[predictions["role"].isin(TESTS)].groupby("role"):
        try:
            require_two_patients(patient_keys(part)[part["label"].to_numpy() >= 0])
        except InputError as error:
            raise InputError(f"{path}, {role}: {error}") from error
