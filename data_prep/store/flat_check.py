"""Whether a flat store is one: every dataset of the right type and length, every label and role a known one."""

import h5py
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.flat import VERSION
from data_prep.store.guard import own_dataset
from data_prep.store.hierarchy import ORIGIN_COLUMNS
from data_prep.store.part import size_problem
from data_prep.store.rows import COLUMN_TYPES, LABELS, ROLES
from data_prep.store.sealed import attribute, damage

_AGAIN = "make the store again"


def require_sound(file: h5py.File) -> None:
    """Raise `InputError` with the first of `flat_problems`, if any."""
    if problems := flat_problems(file):
        raise InputError(f"{file.filename}: {problems[0]}")


def flat_problems(file: h5py.File) -> list[str]:
    """Everything wrong with a flat store but its pixels, one text each; empty when it is sound."""
    if (version := attribute(file, "format_version")) != VERSION:
        return [f"format version {version} is not {VERSION}; make the store again, by the command that made it"]
    if attribute(file, "complete") != 1:
        return ["the store was not finished; make it again"]
    patches, problem = _dataset(file, "patches")
    if patches is None:
        return [problem]
    if patches.ndim != 4 or patches.shape[-1] != 3 or patches.dtype != "uint8":
        return [f"patches is {patches.dtype} {patches.shape}; expected uint8 (n, height, width, 3)"]
    if not len(patches):
        return [f"the store holds not a single patch; {_AGAIN}"]
    if problem := size_problem(patches.shape[1:3]):
        return [f"patches {problem}"]
    columns = _columns(file, patches.shape[0])
    return columns + _masks(file, patches.shape) or value_problems(_values(file))


def value_problems(rows: pd.DataFrame) -> list[str]:
    """The labels, roles and resolutions of `rows` that cannot be."""
    problems = []
    for column, known in (("label", set(LABELS.values())), ("role", {"", *ROLES})):
        if strange := sorted(set(rows[column]) - known):
            names = ", ".join(repr(name) for name in sorted(known))
            problems.append(f"unknown {column} {', '.join(map(repr, strange[:8]))}; known are {names}")
    if len(wrong := rows["mpp"][(rows["mpp"] <= 0) | np.isinf(rows["mpp"])]):
        problems.append(f"mpp {wrong.iloc[0]:g}; expected micrometres a pixel above 0, or NaN where unknown")
    return problems


def _values(file: h5py.File) -> pd.DataFrame:
    roles = file["rows/role"].asstr()[()].tolist()
    return pd.DataFrame({"label": file["rows/label"][()].tolist(), "role": roles, "mpp": file["rows/mpp"][()]})


def _columns(file: h5py.File, count: int) -> list[str]:
    problems = [_column(file, f"rows/{name}", kind, count) for name, kind in COLUMN_TYPES.items()]
    if "concepts" in file:
        problems += _concepts(file, count)
    if "origin" in file:
        entries = len(dataset) if (dataset := _dataset(file, "origin/entry")[0]) is not None and dataset.ndim else 0
        problems += [_column(file, f"origin/{name}", "str", entries, "entries") for name in ORIGIN_COLUMNS]
    if "checksums" in file:
        problems.append(_column(file, "checksums", "uint32", count))
    return [problem for problem in problems if problem]


def _concepts(file: h5py.File, count: int) -> list[str]:
    group = file["concepts"]
    if not isinstance(group, h5py.Group):
        return [f"concepts is a dataset; expected a group; {_AGAIN}"]
    return [_column(file, f"concepts/{name}", "float64", count) for name in group]


def _column(file: h5py.File, name: str, kind: str, count: int, of: str = "patches") -> str:
    """What is wrong with the column `name` of type `kind`, "" where nothing is."""
    dataset, problem = _dataset(file, name)
    if dataset is None:
        return problem
    if not _fits(dataset, kind):
        return f"{name} is {_type_of(dataset)}; expected {kind}"
    if dataset.ndim != 1:
        return f"{name} has the shape {dataset.shape}; expected one value for each of the {count} {of}"
    if len(dataset) != count:
        return f"{name} has {len(dataset)} rows beside {count} {of}; {_AGAIN}"
    return damage(dataset)


def _fits(dataset: h5py.Dataset, kind: str) -> bool:
    """Whether the values of `dataset` can be had as `kind` without loss; floats must be float64."""
    if kind == "str":
        return h5py.check_string_dtype(dataset.dtype) is not None
    if kind == "int64":
        return dataset.dtype.kind in "iu" and np.can_cast(dataset.dtype, kind)
    return dataset.dtype == kind


def _type_of(dataset: h5py.Dataset) -> str:
    return "text" if h5py.check_string_dtype(dataset.dtype) is not None else str(dataset.dtype)


def _masks(file: h5py.File, shape: tuple[int, ...]) -> list[str]:
    if "masks" not in file:
        return []
    masks, problem = _dataset(file, "masks")
    if masks is None:
        return [problem]
    if masks.shape not in (shape[:3], (*shape[:3], 6)) or masks.dtype != "uint16":
        return [f"masks is {masks.dtype} {masks.shape}; expected uint16 {shape[:3]}, or {(*shape[:3], 6)}"]
    return []


def _dataset(file: h5py.File, name: str) -> tuple[h5py.Dataset | None, str]:
    """The dataset `name`, or None and what is wrong with it."""
    try:
        dataset = own_dataset(file, name)
    except InputError as error:
        return None, str(error).removeprefix(f"{file.filename}: ")
    return dataset, f"the dataset {name} is missing; {_AGAIN}"
