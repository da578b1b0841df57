"""Our concept table on disk: raw values of patches that lie elsewhere, known by (source, entry, patch_no)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.guard import own_dataset
from data_prep.store.output import Output, hdf5_output
from data_prep.store.part import read_text
from data_prep.store.rows import KEY, text_column
from data_prep.store.sealed import add_group, attribute, damage, set_text, write_column, write_text

FORMAT = "mta-concepts"
VERSION = 2
_AGAIN = "measure the concepts again"


def is_concept_file(file: h5py.File) -> bool:
    """Whether an open file is a concept table of ours (of any version, finished or not)."""
    return attribute(file, "format") == FORMAT


def write_concepts(path: str | Path, table: pd.DataFrame, made: Mapping[str, Any] | None = None) -> None:
    """Write `table` to `path`, whole or not at all.

    `table`: float64 columns, one a concept, NaN = absent, under a MultiIndex `KEY`; `attrs["units"]` and, where there
    are any, `attrs["descriptions"]` by name. `made`: how it was made, kept as JSON. Raises `InputError` for no row, a
    patch listed twice, a name with a slash, infinite values, and where the file cannot be written.
    """
    _require_writable(path, table)
    with hdf5_output(path, checked=True) as output:
        keys = table.index.to_frame(index=False)
        add_group(output, "rows")
        for name in KEY[:-1]:
            write_column(output, f"rows/{name}", text_column(keys, name))
        write_column(output, "rows/patch_no", keys["patch_no"].to_numpy("int64"))
        _write_values(output, table)
        write_text(output, "made", json.dumps(dict(made or {})))
        with output.writing(0):
            set_text(output.file, "format", FORMAT)
            output.file.attrs.update({"format_version": VERSION, "complete": True})


def _write_values(output: Output, table: pd.DataFrame) -> None:
    add_group(output, "concepts", ordered=True)
    for name in table:
        dataset = write_column(output, f"concepts/{name}", table[name].to_numpy("float64"))
        set_text(dataset, "units", table.attrs["units"].get(name, ""))
        set_text(dataset, "description", table.attrs.get("descriptions", {}).get(name, ""))


def _require_writable(path: str | Path, table: pd.DataFrame) -> None:
    if not len(table):
        raise InputError(f"{path}: there is not a single patch to write concepts of; check the source")
    require_unique(str(path), table.index)
    if unfit := [name for name in table if not name or "/" in name or name == "."]:
        raise InputError(f"{path}: a concept cannot be named {unfit[0]!r}; rename it, without a slash")
    _require_finite(path, table)


def _require_finite(path: str | Path, table: pd.DataFrame) -> None:
    if endless := [name for name in table if np.isinf(table[name]).any()]:
        raise InputError(f"{path}: {endless[0]} has infinite values; NaN stands for an absent one")


def require_unique(name: str, keys: pd.Index) -> None:
    """Raise `InputError` where two patches have one (source, entry, patch_no)."""
    if keys.has_duplicates:
        source, entry, number = keys[keys.duplicated()][0]
        raise InputError(
            f"{name}: two patches are called {source} {entry} #{number}, so that nothing tells them apart; "
            "number them when the store is made"
        )


def concept_table(file: h5py.File) -> pd.DataFrame:
    """The table in an open file, as `write_concepts` took it; `InputError` with the first of `concept_problems`."""
    if problems := concept_problems(file):
        raise InputError(f"{file.filename}: {problems[0]}")
    keys = [read_text(file["rows/source"]), read_text(file["rows/entry"]), file["rows/patch_no"][()]]
    index = pd.MultiIndex.from_arrays(keys, names=KEY)
    require_unique(file.filename, index)
    group = file["concepts"]
    table = pd.DataFrame({name: group[name][()] for name in group}, index=index, dtype="float64")
    _require_finite(file.filename, table)
    for kind, key in (("units", "units"), ("descriptions", "description")):
        table.attrs[kind] = {name: str(attribute(group[name], key) or "") for name in group}
    return table


def concept_problems(file: h5py.File) -> list[str]:
    """What is wrong with a concept table but its values, one text each; empty when it is sound."""
    if (version := attribute(file, "format_version")) != VERSION:
        return [f"format version {version} is not {VERSION}; {_AGAIN}"]
    if attribute(file, "complete") != 1:
        return [f"the file was not finished; {_AGAIN}"]
    if not isinstance(file.get("concepts"), h5py.Group):
        return [f"concepts is not a group; {_AGAIN}"]
    names = {"rows/patch_no": "iu", "rows/source": "text", "rows/entry": "text"}
    names |= {f"concepts/{name}": "f" for name in file["concepts"]}
    numbers = own_dataset(file, "rows/patch_no")
    length = len(numbers) if numbers is not None and numbers.ndim else 0
    problems = [_problem(file, name, kind, length) for name, kind in names.items()]
    return [problem for problem in problems if problem]


def _problem(file: h5py.File, name: str, kind: str, length: int) -> str:
    """What is wrong with one column, "" where nothing is; one that claims more than it holds is refused unread."""
    dataset = own_dataset(file, name)
    if dataset is None:
        return f"the dataset {name} is missing; {_AGAIN}"
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if not (text if kind == "text" else dataset.dtype.kind in kind and dataset.dtype.itemsize <= 8):
        return f"{name} is {dataset.dtype}; expected {'text' if kind == 'text' else 'numbers'}; {_AGAIN}"
    if dataset.shape != (length,):
        return f"{name} has the shape {dataset.shape} beside {length} patches; {_AGAIN}"
    if not length or dataset.id.get_storage_size() < dataset.nbytes:
        return f"{name} holds no values; {_AGAIN}"
    return damage(dataset)
