"""The flat patch store on disk: names, version, and the reading of everything but the pixels."""

from typing import Any

import h5py
import numpy as np
import pandas as pd

from data_prep.store.hierarchy import ORIGIN_COLUMNS
from data_prep.store.part import read_text
from data_prep.store.rows import ROW_COLUMNS, complete_rows

FORMAT = "mta-patches"
VERSION = 1
CHUNK = 32
ATTRIBUTES = ("extraction", "stain")
"""JSON texts that a store may carry: how its patches were cut, and the normalizer that made their pixels."""


def is_flat(file: h5py.File) -> bool:
    """Whether an open file is a flat store (of any version, finished or not)."""
    return attribute(file, "format") == FORMAT


def attribute(file: h5py.File, name: str) -> Any:
    """The single value of an attribute of `file`; None where it is absent or no single value."""
    value = file.attrs.get(name)
    return value if np.ndim(value) == 0 else None


def flat_rows(file: h5py.File) -> pd.DataFrame:
    """The row table of a sound flat store (`flat_check`)."""
    return complete_rows(_frame(file["rows"], ROW_COLUMNS))


def flat_origin(file: h5py.File) -> pd.DataFrame:
    """The table of original entries of a flat store; empty where it was made of images."""
    if "origin" not in file:
        return pd.DataFrame(columns=list(ORIGIN_COLUMNS), dtype="str")
    return _frame(file["origin"], ORIGIN_COLUMNS)


def _frame(group: h5py.Group, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: _values(group[name]) for name in columns})


def _values(dataset: h5py.Dataset) -> pd.Series:
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return pd.Series(read_text(dataset), dtype="str")
    return pd.Series(dataset[()])


def flat_concepts(file: h5py.File) -> pd.DataFrame:
    """The concepts of a sound flat store: float64 columns with `attrs["units"]`, RangeIndex = row."""
    group = file.get("concepts", {})
    frame = pd.DataFrame({name: group[name][()] for name in group}, index=pd.RangeIndex(len(file["patches"])))
    frame.attrs["units"] = {name: str(group[name].attrs.get("units", "")) for name in group}
    return frame
