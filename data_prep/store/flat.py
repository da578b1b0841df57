"""The flat patch store on disk: names, version, and the reading of everything but the pixels."""

import h5py
import pandas as pd

from data_prep.store.hierarchy import ORIGIN_COLUMNS
from data_prep.store.part import read_text
from data_prep.store.rows import ROW_COLUMNS, complete_rows
from data_prep.store.sealed import attribute
from data_prep.store.sums import PatchSums

FORMAT = "mta-patches"
VERSION = 2
CHUNK = 32
ATTRIBUTES = ("extraction", "stain")
"""JSON texts that a store may carry: how its patches were cut, and the normalizer that made their pixels."""


def is_flat(file: h5py.File) -> bool:
    """Whether an open file is a flat store (of any version, finished or not)."""
    return attribute(file, "format") == FORMAT


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
    frame.attrs["units"] = {name: str(attribute(group[name], "units") or "") for name in group}
    return frame


def flat_sums(file: h5py.File) -> PatchSums | None:
    """The checksums of the patches of a sound flat store; None where another program made it without."""
    return PatchSums(file["checksums"][()]) if "checksums" in file else None
