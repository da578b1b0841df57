"""The split tables of one request, checked for leaks together and written together."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.files import require_destination, write_json
from data_prep.splits.grouping import FRACTIONS, fold_roles, split_by_patient
from data_prep.splits.leaks import check_leaks
from data_prep.splits.near import ALIKE, DISTANCE, MOST_PAIRS, NearDuplicates
from data_prep.splits.table import write_split
from data_prep.store.rows import ROLES

_EXAMPLES = 3


def fold_tables(rows: pd.DataFrame, folds: int, seed: int) -> dict[str, np.ndarray]:
    """`fold_roles` by the names of their files: split-fold-0.csv and so on."""
    return {f"split-fold-{fold}.csv": roles for fold, roles in enumerate(fold_roles(rows, folds, seed))}


def centre_tables(
    rows: pd.DataFrame, seed: int, fractions: tuple[float, float, float] = FRACTIONS
) -> dict[str, np.ndarray]:
    """For each centre the split that has it as external test, by file name: split-centre-0.csv and so on.

    Raises `InputError` where fewer than two centres are known, and names the centre without which too few are left.
    """
    centres = sorted(set(rows["centre"]) - {""})
    if len(centres) < 2:
        raise InputError(f"leave one centre out: {len(centres)} known in the store; two or more are needed")
    tables: dict[str, np.ndarray] = {}
    for number, centre in enumerate(centres):
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", centre)[:60]
        # A number where the names of centres come to the same, on disks that ignore case as well.
        while f"split-centre-{name}.csv".lower() in map(str.lower, tables):
            name = f"{number}-{name}"
        try:
            tables[f"split-centre-{name}.csv"] = split_by_patient(rows, seed, fractions, (centre,))
        except InputError as error:
            raise InputError(f"with centre {centre} left out: {error}") from error
    return tables


def leak_findings(rows: pd.DataFrame, tables: Mapping[str, np.ndarray], near: NearDuplicates) -> dict[str, list[str]]:
    """What leaks in each table, a line each for patients, slides and near-duplicate patches; [] where nothing does."""
    return {name: check_leaks(rows, roles) + _near_finding(rows, roles, near) for name, roles in tables.items()}


def straddling_pairs(roles: np.ndarray, near: NearDuplicates) -> pd.DataFrame:
    """The pairs of `near` that have two roles (k lines)."""
    first, second = (np.asarray(roles)[near.pairs[name]] for name in ("first", "second"))
    return near.pairs[(first != second) & (first != "") & (second != "")]


def _near_finding(rows: pd.DataFrame, roles: np.ndarray, near: NearDuplicates) -> list[str]:
    pairs = straddling_pairs(roles, near)
    if pairs.empty:
        return []
    examples = "; ".join(
        f"rows {pair.first} ({_place(rows, pair.first)}, {roles[pair.first]}) and {pair.second} "
        f"({_place(rows, pair.second)}, {roles[pair.second]})"
        for pair in pairs.head(_EXAMPLES).itertuples()
    )
    more = f" and {len(pairs) - _EXAMPLES} more" if len(pairs) > _EXAMPLES else ""
    count = f"{'more than ' if near.cut else ''}{len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'}"
    return [f"{count} of near-duplicate patches in two roles: {examples}{more}"]


def _place(rows: pd.DataFrame, row: int) -> str:
    return rows["slide"].iloc[row] or rows["entry"].iloc[row] or "slide unknown"


def without_duplicates(roles: np.ndarray, near: NearDuplicates) -> np.ndarray:
    """`roles` in which of every straddling pair one patch serves nothing: the one in training rather than in a test."""
    if near.cut:
        raise InputError(
            f"more than {MOST_PAIRS} pairs of near-duplicates, too many to drop; look at the patches first"
        )
    roles, pairs = np.asarray(roles).copy(), straddling_pairs(roles, near)
    # The patch of the role that comes first there is the one to do without.
    rank = {role: place for place, role in enumerate(ROLES)}
    for first, second in pairs[["first", "second"]].to_numpy():
        if roles[first] and roles[second]:
            roles[min(first, second, key=lambda row: rank[str(roles[row])])] = ""
    return roles


def require_tables(folder: Path, names: Sequence[str], overwrite: bool) -> None:
    """Raise `InputError` where `folder` cannot take the tables `names`, or holds split tables of another request."""
    for name in names:
        require_destination(folder / name, overwrite)
        require_destination((folder / name).with_suffix(".json"), overwrite)
    strangers = sorted({path.name for path in folder.glob("split-*.csv")} - set(names)) if folder.is_dir() else []
    if strangers:
        raise InputError(f"{folder}: holds {strangers[0]} of another split; choose another folder")


def write_tables(
    folder: Path, rows: pd.DataFrame, tables: Mapping[str, np.ndarray], records: Mapping[str, dict[str, Any]]
) -> None:
    """Write each of `tables` into `folder`, with its record (JSON) under the same stem beside it."""
    for name, roles in tables.items():
        write_split(folder / name, rows, roles)
        write_json((folder / name).with_suffix(".json"), records[name])


def record(request: Mapping[str, Any], findings: list[str], near: NearDuplicates, dropped: int) -> dict[str, Any]:
    """How a table was made and what was looked for in it, as JSON takes it."""
    return {
        "request": dict(request),
        "leaks_allowed": findings,
        "near_duplicates": {
            "compared": near.compared,
            "flat": near.flat,
            "distance": DISTANCE,
            "correlation": ALIKE,
            "dropped": dropped,
        },
    }


def require_no_leak(findings: Mapping[str, list[str]], allow: bool) -> None:
    """Raise `InputError` for the first table that leaks; with `allow`, warn of each finding instead."""
    for name, lines in findings.items():
        if lines and not allow:
            raise InputError(
                f"{name} leaks: {' and '.join(lines)}; split by patient, add --drop-duplicates for equal patches, or "
                "--allow-leak to go on regardless"
            )
        for line in lines:
            warn(f"{name} leaks: {line}")
