"""The four roles, the names the original used for them, and what counts as one patient or slide."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

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


def slide_keys(rows: pd.DataFrame) -> pd.Series:
    """One string a row (n,): equal for two rows exactly when they are of one slide; "" where that is unknown.

    Databases number their slides alike, so the name counts within its `source`, where the table has one.
    """
    slide = _names(rows, "slide")
    return (slide + " of " + _names(rows, "source")).where(slide != "", "") if "source" in rows else slide


def patient_keys(rows: pd.DataFrame) -> np.ndarray:
    """One string a row (n,): equal for two rows exactly when they belong to one patient.

    The patient's name; where it is unknown that of other rows of the slide (the first by name, should there be
    several), else the slide; the row itself where both are unknown.
    """
    patient, slide = _names(rows, "patient"), slide_keys(rows)
    own = pd.Series("row " + pd.RangeIndex(len(rows)).astype(str), dtype=str)
    owner = _owners(patient, slide)
    fallback = owner.where(owner != "", own.where(slide == "", "slide " + slide))
    return patient.where(patient != "", fallback).to_numpy(dtype=str)


def inseparable_keys(rows: pd.DataFrame) -> np.ndarray:
    """One string a row (n,): patients of one slide, and those they are linked to by further slides, have the same.

    It is the first of their `patient_keys` by name, so that it is the patient's own where no slide is shared.
    """
    (patients, patient), slide = np.unique(patient_keys(rows), return_inverse=True), slide_keys(rows)
    on_slide = (slide != "").to_numpy()
    slides, place = np.unique(slide[on_slide].to_numpy(dtype=str), return_inverse=True)
    nodes = len(patients) + len(slides)
    links = coo_array((np.ones(len(place)), (patient[on_slide], len(patients) + place)), shape=(nodes, nodes))
    group = connected_components(links, directed=False)[1][: len(patients)]
    _, first, member = np.unique(group, return_index=True, return_inverse=True)
    if together := int((np.bincount(member)[member] > 1).sum()):
        warn(f"{together} patients share slides: those who do stay together")
    return patients[first[member]][patient]


def warn_of_unknown_patients(rows: pd.DataFrame) -> None:
    """Say on standard error how many rows have no patient, and what stands in for it."""
    patient, slide = _names(rows, "patient"), slide_keys(rows)
    unknown, owned = patient == "", _owners(patient, slide) != ""
    for count, stand_in in [
        ((unknown & (slide == "")).sum(), "neither patient nor slide: each counts as its own patient"),
        ((unknown & owned).sum(), "no patient: they are given that of other patches of their slide"),
        ((unknown & ~owned & (slide != "")).sum(), "no patient: the slide stands in for it"),
    ]:
        if count:
            warn(f"{count} of {len(rows)} patches have {stand_in}")


def _names(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows[column].astype(str).reset_index(drop=True)


def _owners(patient: pd.Series, slide: pd.Series) -> pd.Series:
    """The first patient by name on each row's slide (n,), "" where none is known."""
    named = (patient != "") & (slide != "")
    first = patient[named].groupby(slide[named]).min().to_dict()
    return pd.Series([first.get(name, "") for name in slide], dtype=str)
