"""How many patches, slides and patients serve in which role."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data_prep.splits.roles import patient_keys, slide_keys
from data_prep.store import ROLES

CLASSES = {0: "normal", 1: "tumor", -1: "unlabelled"}
FEW_PATIENTS = 5
"""Fewer than these in a role say little of how patients differ."""


def count_roles(rows: pd.DataFrame, roles: np.ndarray) -> pd.DataFrame:
    """One line a role and centre, and one a role for all its centres: patches by class, patients, slides.

    Columns: `role` ("" = unused), `centre` ("all" in the sums), `normal`, `tumor`, `unlabelled`, and the
    known `patients` and `slides`.
    """
    table = pd.DataFrame(
        {
            "role": np.asarray(roles, dtype=str),
            "centre": rows["centre"].to_numpy(dtype=str),
            "class": rows["label"].map(CLASSES).to_numpy(dtype=str),
            "patient": rows["patient"].to_numpy(dtype=str),
            "slide": slide_keys(rows).to_numpy(dtype=str),
        }
    )
    lines = []
    for role in [role for role in (*ROLES, "") if (table["role"] == role).any()]:
        part = table[table["role"] == role]
        lines += [_line(role, str(centre), group) for centre, group in part.groupby("centre")]
        lines.append(_line(role, "all", part))
    return pd.DataFrame(lines)


def _line(role: str, centre: str, part: pd.DataFrame) -> dict[str, str | int]:
    counts = {name: int((part["class"] == name).sum()) for name in CLASSES.values()}
    known = {f"{name}s": len(set(part[name]) - {""}) for name in ("patient", "slide")}
    return {"role": role, "centre": centre, **counts, **known}


def count_text(rows: pd.DataFrame, roles: np.ndarray) -> str:
    """`count_roles` as lines of text; unused rows are called "(no role)", unknown centres "?"."""
    table = count_roles(rows, roles)
    names = {"role": table["role"].replace("", "(no role)"), "centre": table["centre"].replace("", "?")}
    return table.assign(**names).to_string(index=False)


def few_patients_text(rows: pd.DataFrame, tables: Mapping[str, np.ndarray]) -> str:
    """One line that names the roles of `tables` (n,) with fewer than `FEW_PATIENTS` patients; "" where none has."""
    patients, fewest = patient_keys(rows), dict[str, int]()
    for roles in tables.values():
        for role in [role for role in ROLES if (roles == role).any()]:
            fewest[role] = min(len(set(patients[roles == role])), fewest.get(role, FEW_PATIENTS))
    few = [f"{role} ({count})" for role, count in fewest.items() if count < FEW_PATIENTS]
    where = "" if len(tables) == 1 else " in some tables"
    text = f"fewer than {FEW_PATIENTS} patients{where}: {', '.join(few)}; they say little of how patients differ"
    return text if few else ""
