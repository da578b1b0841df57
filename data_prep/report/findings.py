"""What somebody should know before training on a store."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.report.summaries import centre_and_class, centre_names, class_names
from data_prep.splits import ROLES, check_leaks, patient_keys
from data_prep.splits.summary import FEW_PATIENTS
from data_prep.store.words import counted

STRONG = 0.2
"""Cramér's V from which a centre is said to predict the class."""
MOSTLY_ABSENT = 0.5
SAME_SCALE = 0.01
"""Relative difference up to which two resolutions are one."""


@dataclass(frozen=True)
class Remark:
    """One line under the heading of findings: a `problem` spoils results, the others may."""

    text: str
    problem: bool = False


def find(rows: pd.DataFrame, roles: np.ndarray, concepts: pd.DataFrame) -> list[Remark]:
    """Everything noteworthy about the row table, its `roles` (n,) and its aligned `concepts`."""
    remarks = [Remark(f"The split leaks: {line}.", True) for line in check_leaks(rows, roles)]
    for role in [role for role in ROLES if (roles == role).any()]:
        remarks += _in_role(rows[roles == role], role)
    remarks += _confounding(rows, roles) + _centres(rows, roles) + _identity(rows) + _scale(rows["mpp"].to_numpy())
    return remarks + [remark for name in concepts for remark in _concept(str(name), concepts[name], rows)]


def _in_role(rows: pd.DataFrame, role: str) -> list[Remark]:
    said = role.replace("_", " ")
    remarks = []
    if missing := [name for name in ("normal", "tumor") if not (class_names(rows) == name).any()]:
        remarks.append(Remark(f"The role {said} has no {' and no '.join(missing)} patch: its AUC is undefined.", True))
    patients = len(set(patient_keys(rows)))
    if patients < FEW_PATIENTS:
        meaning = "little is learned of" if role == "train" else "results say little about"
        text = f"The role {said} has only {counted(patients, 'patient')}: {meaning} how patients differ."
        remarks.append(Remark(text))
    return remarks


def _confounding(rows: pd.DataFrame, roles: np.ndarray) -> list[Remark]:
    parts = {role.replace("_", " "): rows[roles == role] for role in ROLES if (roles == role).any()} or {"all": rows}
    strengths = {role: centre_and_class(part) for role, part in parts.items()}
    strong = [f"{role} ({v:.2f}, {area:.2f})" for role, (v, area) in strengths.items() if v >= STRONG]
    if not strong:
        return []
    text = f"The centre predicts the class in {', '.join(strong)}: a network can learn the scanner, not the disease."
    measure = f"In brackets Cramér's V, warned of from {STRONG}, and the AUC of the centre's share of tumor."
    return [Remark(f"{text} {measure}")]


def _centres(rows: pd.DataFrame, roles: np.ndarray) -> list[Remark]:
    used = pd.DataFrame({"centre": centre_names(rows), "role": roles})
    used = used[used["role"] != ""]
    if used["role"].nunique() < 2:
        return []
    pairs = used.drop_duplicates()
    alone = pairs[~pairs.duplicated("centre", keep=False) & (pairs["role"] != "external_test")]
    return [
        Remark(
            f"{counted(len(group), 'centre')} in {role.replace('_', ' ')} alone: {', '.join(sorted(group['centre']))}."
        )
        for role, group in alone.groupby("role")
    ]


def _identity(rows: pd.DataFrame) -> list[Remark]:
    remarks = []
    for column, consequence in [
        ("patient", "patches of one person may fall into different roles unseen"),
        ("slide", "patches of one slide cannot be kept together"),
        ("centre", "they take no part in what is done by centre"),
    ]:
        if unknown := int((rows[column] == "").sum()):
            share = f"{unknown:,} of {len(rows):,} patches ({unknown / len(rows):.0%})"
            remarks.append(Remark(f"No {column} is known for {share}: {consequence}."))
    if unlabelled := int((rows["label"] < 0).sum()):
        remarks.append(
            Remark(f"{unlabelled:,} of {len(rows):,} patches have no label: they teach nothing of the class.")
        )
    return remarks


def _scale(mpp: np.ndarray) -> list[Remark]:
    remarks, known = [], mpp[np.isfinite(mpp)]
    if unknown := len(mpp) - len(known):
        text = f"No resolution (mpp) is known for {unknown:,} of {len(mpp):,} patches: areas stay in pixels."
        remarks.append(Remark(text))
    if len(known) and known.max() > known.min() * (1 + SAME_SCALE):
        text = (
            f"Resolutions are mixed: {known.min():.4g} to {known.max():.4g} um/px. Nuclei differ in size by that alone."
        )
        remarks.append(Remark(text))
    return remarks


def _concept(name: str, values: pd.Series, rows: pd.DataFrame) -> list[Remark]:
    absent = ~np.isfinite(values.to_numpy(dtype=float))
    if absent.all():
        return [Remark(f"The concept {name} has no value at all.", True)]
    remarks = []
    if values[~absent].nunique() == 1:
        remarks.append(Remark(f"The concept {name} is constant: there is nothing to learn from it.", True))
    if absent.mean() > MOSTLY_ABSENT:
        remarks.append(Remark(f"The concept {name} is absent in {absent.mean():.0%} of the patches."))
    share = pd.Series(absent).groupby(centre_names(rows).to_numpy()).mean()
    if empty := [str(centre) for centre in share.index[share == 1]]:
        remarks.append(Remark(f"The concept {name} is absent throughout centre {', '.join(empty)}."))
    return remarks
