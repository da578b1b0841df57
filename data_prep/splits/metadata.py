"""Roles from anyone's table of patches, slides or patients, such as the metadata of WILDS."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.splits.roles import role_named
from data_prep.store.cells import read_cells, whole_numbers

_PLACES = [("x", "y"), ("x_coord", "y_coord")]


def read_metadata(path: Path, rows: pd.DataFrame, mapping: Mapping[str, str] | None = None) -> np.ndarray:
    """The role of every row (n,), "" where the table names none; how many is said on standard error.

    The CSV has a column `split` (or `role`) and one or several of `slide`, `patient` and `node`, `x` and `y` (or
    `x_coord` and `y_coord`, level-0 pixels). Rows are matched by slide and place, else by slide, else by patient,
    whichever the columns allow; Camelyon's numbers stand for its names. `mapping` says which role a value of the split
    column means ("" = none). Raises `InputError` where nothing fits, a value means no role, or a key has two roles.
    """
    table = read_cells(path)
    roles = _roles(path, table, dict(mapping or {}))
    keys, ours = _keys(path, table, rows)
    named = pd.DataFrame({"key": keys, "role": roles}).drop_duplicates()
    # What has no name there is not what has none here.
    named = named[[bool(key[0] if isinstance(key, tuple) else key) for key in named["key"]]]
    if len(twice := named[named.duplicated("key", keep=False)]):
        key = twice["key"].iloc[0]
        values = " and ".join(repr(role) for role in twice.loc[twice["key"] == key, "role"])
        raise InputError(f"{path}: {_said(key)} has two roles, {values}; leave it in one")
    _say_unmatched(path, named["key"], ours)
    return ours.map(dict(zip(named["key"], named["role"], strict=True))).fillna("").to_numpy(dtype=str)


def _roles(path: Path, table: pd.DataFrame, mapping: dict[str, str]) -> pd.Series:
    column = next((name for name in ("split", "role") if name in table), None)
    if column is None:
        raise InputError(f"{path}: no column split or role; it says which patch serves for what")
    values = sorted(set(table[column]))
    if unused := sorted(set(mapping) - set(values)):
        raise InputError(f"{path}: --map names {unused[0]!r}, but {column} has only {', '.join(values)}")
    where = f"{path}, column {column} (say what its values mean, as --map 0=train,1=validation)"
    return table[column].map({value: role_named(mapping.get(value, value), where) for value in values})


def _keys(path: Path, table: pd.DataFrame, rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """What identifies a line of the table, and a row of the store, in the same form: text or tuple."""
    slides, patients = _best(_slides(table), rows["slide"]), _best(_patients(table), rows["patient"])
    place = next((pair for pair in _PLACES if set(pair) <= set(table)), None)
    if slides is not None and place:
        xy = [whole_numbers(path, table[name]) for name in place]
        return _tuples(slides, *xy), _tuples(rows["slide"], rows["x"], rows["y"])
    if slides is not None:
        return slides, rows["slide"]
    if patients is not None:
        return patients, rows["patient"]
    first = rows.iloc[0]
    raise InputError(
        f"{path}: no line names a slide or patient of the store, which are such as {first['slide']!r} of "
        f"{first['patient']!r}; give a column slide or patient with those names"
    )


def _tuples(*columns: pd.Series) -> pd.Series:
    return pd.Series(list(zip(*columns, strict=True)), dtype=object)


def _slides(table: pd.DataFrame) -> list[pd.Series]:
    """What the lines may call their slides: their own names, and those of Camelyon17 (patient 4, node 1)."""
    names = [table["slide"]] if "slide" in table else []
    if {"patient", "node"} <= set(table):
        patient = table["patient"].str.zfill(3)
        names += [
            "camelyon17_patient" + patient + "_node" + table["node"],
            "patient_" + patient + "_node_" + table["node"],
        ]
    return names


def _patients(table: pd.DataFrame) -> list[pd.Series]:
    return [table["patient"], "camelyon17_patient" + table["patient"].str.zfill(3)] if "patient" in table else []


def _best(candidates: list[pd.Series], known: pd.Series) -> pd.Series | None:
    """The names of which most are known; None where none is."""
    names = set(known) - {""}
    scores = [candidate.isin(names).sum() for candidate in candidates]
    return candidates[int(np.argmax(scores))] if any(scores) else None


def _say_unmatched(path: Path, keys: pd.Series, ours: pd.Series) -> None:
    foreign, without = ~keys.isin(set(ours)), ~ours.isin(set(keys))
    if foreign.all():
        raise InputError(
            f"{path}: no line fits a row of the store: {_said(keys.iloc[0])} here, {_said(ours.iloc[0])} there"
        )
    for lacking, all_of, what in [
        (keys[foreign], keys, "of {} keys of the table are not in the store"),
        (ours[without], ours, "of {} rows of the store are not in the table and get no role"),
    ]:
        if len(lacking):
            warn(f"{path}: {len(lacking)} {what.format(len(all_of))}, first {_said(lacking.iloc[0])}")


def _said(key: object) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else repr(key)


def parse_map(text: str) -> dict[str, str]:
    """{value: role} from `0=train,1=validation,9=` (9: no role); `InputError` where a role is unknown."""
    pairs = [item.partition("=") for item in text.split(",") if item.strip()]
    if wrong := [value for value, sign, _ in pairs if not sign]:
        raise InputError(f"--map: {wrong[0]!r} says no role; write {wrong[0]}=train")
    return {value.strip(): role_named(role.strip(), "--map") for value, _, role in pairs}
