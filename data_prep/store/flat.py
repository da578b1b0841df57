"""The flat patch store on disk: names, version, and the reading of everything but the pixels."""

import h5py
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.hierarchy import ORIGIN_COLUMNS
from data_prep.store.part import read_text
from data_prep.store.rows import ROW_COLUMNS, complete_rows

FORMAT = "mta-patches"
VERSION = 1
CHUNK = 32


def is_flat(file: h5py.File) -> bool:
    """Whether an open file is a flat store (of any version, finished or not)."""
    return file.attrs.get("format") == FORMAT


def flat_problems(file: h5py.File) -> list[str]:
    """Everything wrong with the structure of a flat store, one text each; empty when it is sound."""
    if file.attrs.get("format_version") != VERSION:
        return [
            f"format version {file.attrs.get('format_version')} is not {VERSION}; read it with the mta that made it"
        ]
    if not bool(file.attrs.get("complete", False)):
        return ["the store was not finished; make it again"]
    patches = file.get("patches")
    if not isinstance(patches, h5py.Dataset):
        return ["the dataset patches is missing; make the store again"]
    if patches.ndim != 4 or patches.shape[-1] != 3 or patches.dtype != "uint8":
        return [f"patches is {patches.dtype} {patches.shape}; expected uint8 (n, height, width, 3)"]
    return _column_problems(file, patches.shape)


def _column_problems(file: h5py.File, shape: tuple[int, ...]) -> list[str]:
    names = [f"rows/{column}" for column in ROW_COLUMNS]
    needed = names + [f"origin/{column}" for column in ORIGIN_COLUMNS if "origin" in file]
    problems = [f"the dataset {name} is missing; make the store again" for name in needed if not _holds(file, name)]
    concepts = [f"concepts/{name}" for name in file.get("concepts", {})]
    masks = ["masks"] if "masks" in file else []
    for name in [name for name in names if _holds(file, name)] + concepts + masks:
        if file[name].shape[0] != shape[0]:
            problems.append(f"{name} has {file[name].shape[0]} rows beside {shape[0]} patches; make the store again")
    problems += [
        f"{name} is {file[name].dtype}; expected float64" for name in concepts if file[name].dtype != "float64"
    ]
    if masks and (file["masks"].shape[1:3] != shape[1:3] or file["masks"].dtype != "uint16"):
        problems.append(f"masks is {file['masks'].dtype} {file['masks'].shape}; expected uint16 of {shape[1:3]} pixels")
    return problems


def _holds(file: h5py.File, name: str) -> bool:
    return isinstance(file.get(name), h5py.Dataset)


def flat_rows(file: h5py.File) -> pd.DataFrame:
    """The row table of a flat store."""
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
    """The concepts of a flat store: float64 columns with `attrs["units"]`, RangeIndex = row."""
    if problems := flat_problems(file):
        raise InputError(f"{file.filename}: {problems[0]}")
    group = file.get("concepts", {})
    frame = pd.DataFrame({name: group[name][()] for name in group}, index=pd.RangeIndex(len(file["patches"])))
    frame.attrs["units"] = {name: str(group[name].attrs.get("units", "")) for name in group}
    return frame
