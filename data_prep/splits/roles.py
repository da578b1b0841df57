"""The four roles, the names the original used for them, and who counts as one patient."""

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError

ROLES = ("train", "validation", "internal_test", "external_test")
# The original's split files say `test` (centres seen in training) and `test2` (the unseen centre).
_ALIASES = {"": "", "val": "validation", "test": "internal_test", "test2": "external_test"}
# In the original layouts Camelyon16 (domain 5) and PanNuke (6) number their patients from 1 again.
_RENUMBERED = ("5", "6")
_ORIGINAL_ENTRY = r"level\d+/.*patient"


def role_named(name: str, where: str) -> str:
    """The role that `name` stands for ("" stays ""); an `InputError` that mentions `where` when there is none."""
    role = _ALIASES.get(name, name)
    if role and role not in ROLES:
        raise InputError(f"{where}: there is no role {name!r}; use one of {', '.join(ROLES)}")
    return role


def patient_keys(rows: pd.DataFrame) -> np.ndarray:
    """One string a row (n,): equal for two rows exactly when they belong to one patient.

    The patient's name; the slide where the patient is unknown; the row itself where both are. Patients of the
    original Camelyon16 and PanNuke files are told from those of Camelyon17 that bear the same number.
    """
    patient, slide, entry, centre = (rows[name].astype(str) for name in ("patient", "slide", "entry", "centre"))
    again = centre.isin(_RENUMBERED) & entry.str.contains(_ORIGINAL_ENTRY, regex=True)
    named = np.where(again, "centre " + centre + " ", "") + patient
    fallback = np.where(slide != "", "slide " + slide, "row " + pd.Series(np.arange(len(rows)).astype(str)))
    return np.where(patient != "", named, fallback).astype(str)


def warn_of_unknown_patients(rows: pd.DataFrame) -> None:
    """Say on standard error how many rows have no patient, and what stands in for it."""
    unknown = (rows["patient"] == "").to_numpy()
    if alone := int((unknown & (rows["slide"] == "").to_numpy()).sum()):
        warn(f"{alone} of {len(rows)} patches have neither patient nor slide: each counts as its own patient")
    if by_slide := int(unknown.sum()) - alone:
        warn(f"{by_slide} of {len(rows)} patches have no patient: the slide stands in for it")
