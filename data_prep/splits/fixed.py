"""Roles that somebody else has given."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.splits.grouping import external_rows
from data_prep.splits.metadata import parse_map, read_metadata
from data_prep.splits.table import read_split
from data_prep.store.cells import header_of
from data_prep.store.words import counted


def fixed_roles(path: Path, rows: pd.DataFrame, mapping: str = "", centres: Sequence[str] = ()) -> np.ndarray:
    """The role of every row (n,) that the CSV `path` gives it; patients of `centres` are external test.

    `path` is a split table of ours (`row,role`), one of the original (no header), or what `read_metadata` takes, with
    `mapping` as `parse_map` reads it. Raises `InputError` where it does not fit the store or gives no role at all.
    """
    header = header_of(path)
    if {"row", "role"} <= header or not header & {"split", "role", "slide", "patient", "node"}:
        if mapping:
            raise InputError(f"{path}: --map is for tables with a column split; this one names its roles")
        roles = read_split(path, rows)
    else:
        roles = read_metadata(path, rows, parse_map(mapping))
    roles = np.where(external_rows(rows, centres), "external_test", roles)
    if (roles == "").all():
        raise InputError(f"{path}: gives none of {counted(len(rows), 'row')} a role; check --map")
    return roles
