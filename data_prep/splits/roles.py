"""The four roles, the names the original used for them, and who counts as one patient."""

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.store import ROLES

# The original's split files say `test` (centres seen in training) and `test2` (the unseen centre).
_ALIASES = {"": "", "val": "validation", "test": "internal_test", "test2": "external_test"}


def role_named(name: str, where: str) -> str:
    """The role that `name` stands for ("" stays ""); an `InputError` that mentions `where` when there is none."""
    role = _ALIASES.get(name, name)
    if role and role not in ROLES:
        raise InputError(f"{where}: there is no role {name!r}; use one of {', '.join(ROLES)}")
    return role


def patient_keys(rows: pd.DataFrame) -> np.ndarray:
    """One string a row (n,): equal for two rows exactly when they belong to one patient.

    The patient's name; the slide where the patient is unknown; the row itself where both are.
    """
    patient, slide = rows["patient"].to_numpy(dtype=str), rows["slide"].to_numpy(dtype=str)
    own = np.char.add("row ", np.arange(len(rows)).astype(str))
    fallback = np.where(slide != "", np.char.add("slide ", slide), own)
    return np.where(patient != "", patient, fallback).astype(str)


def warn_of_unknown_patients(rows: pd.DataFrame) -> None:
    """Say on standard error how many rows have no patient, and what stands in for it."""
    unknown = (rows["patient"] == "").to_numpy()
    if alone := int((unknown & (rows["slide"] == "").to_numpy()).sum()):
        warn(f"{alone} of {len(rows)} patches have neither patient nor slide: each counts as its own patient")
    if by_slide := int(unknown.sum()) - alone:
        warn(f"{by_slide} of {len(rows)} patches have no patient: the slide stands in for it")
