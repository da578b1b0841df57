"""One door to every way of giving roles."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.splits.grouping import FRACTIONS, split_by_patient
from data_prep.splits.roles import role_named
from data_prep.splits.table import read_split


def assign_roles(
    rows: pd.DataFrame,
    how: str = "column",
    seed: int = 0,
    fractions: tuple[float, float, float] = FRACTIONS,
    external_centres: Sequence[str] = (),
) -> np.ndarray:
    """The role of every row (n,), by the `role` column of the store, by patient, or by a split file.

    `how` is `column`, `patient` (see `split_by_patient`, which alone uses the other arguments), or what
    `read_split` takes. Leaks are not checked here: see `require_disjoint`. Raises `InputError` when `how` is
    `column` and no row has a role.
    """
    if how == "patient":
        return split_by_patient(rows, seed, fractions, external_centres)
    if how != "column":
        return read_split(how, rows)
    if (rows["role"] == "").all():
        raise InputError("the store gives no roles; split by patient (--split patient) or name a split table")
    return np.array([role_named(role, "the store's role column") for role in rows["role"]], dtype=str)


def training_rows(rows: pd.DataFrame, split: str = "") -> np.ndarray | None:
    """Positions of the rows that may be fitted on, ascending: those with the role train; None without any role.

    `split`: a split table, else the roles in the store count. Raises `InputError` where there are roles but no training
    row.
    """
    if not split and (rows["role"] == "").all():
        return None
    found = np.flatnonzero(assign_roles(rows, split or "column") == "train")
    if not len(found):
        raise InputError("no row has the role train, and only those may be fitted on; give some that role")
    return found
