"""Concept tables: our own, from a flat store, from the original's byte-string file, from a CSV; and matched to rows."""

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.cells import numbers, read_cells, require_different, row_numbers
from data_prep.store.concept_file import concept_table, is_concept_file
from data_prep.store.flat import flat_concepts, is_flat
from data_prep.store.flat_check import require_sound
from data_prep.store.handle import reading
from data_prep.store.hierarchy import scan
from data_prep.store.opening import parse_spec
from data_prep.store.rows import KEY

# The unit of values that are z-scores over a set that is not at hand.
STANDARDIZED = "standard deviations"
_HEADER = re.compile(r"(?P<name>.+?)\s*\[(?P<unit>.*)\]")


def open_concepts(spec: str | Path) -> pd.DataFrame:
    """Read a concept table: float64 columns, one a concept, NaN = absent, `attrs["units"]` = {name: unit}.

    From patch files (`spec` as in `open_patches`) the index is the row (RangeIndex); original layouts hold no
    concepts, so their rows have no columns, or NaN beside a flat store. From a concept table of ours (`write_concepts`)
    and from the original's HDF5 concept file (`/db/entry/patch_no/measure`, byte strings) it is (source, entry,
    patch_no); the unit of the original's values is `STANDARDIZED`.
    From a CSV it is what the first columns name: `row` or `source,entry,patch_no`; a header `narea [px]` carries
    the unit.

    Raises `InputError` for a missing or foreign file, text that is no number, rows named twice or below 0, two concepts
    of one name, and for several concept files at once.
    """
    tables = [_open(path) for _, path in parse_spec(spec)]
    if len(tables) == 1:
        return tables[0]
    if any(isinstance(table.index, pd.MultiIndex) for table in tables):
        raise InputError(f"{spec}: one concept file at a time; several may only be patch files")
    joined = pd.concat(tables, ignore_index=True)
    joined.attrs = {"units": {name: unit for table in tables for name, unit in table.attrs["units"].items()}}
    return joined


def _open(path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".csv":
        return _from_csv(path)
    with reading(path) as file:
        if is_concept_file(file):
            return concept_table(file)
        if is_flat(file):
            require_sound(file)
            return flat_concepts(file)
        if found := scan(file).found:
            table = pd.DataFrame(index=pd.RangeIndex(sum(item.count for item in found)))
            table.attrs["units"] = {}
            return table
        return _from_original(path, file)


def align_concepts(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The concepts of `rows` (RangeIndex), NaN where `table` has none; `attrs` are kept.

    `InputError` where nothing fits: a table of another store by length, or not one common (source, entry, patch_no).
    """
    if isinstance(table.index, pd.MultiIndex):
        wanted = pd.MultiIndex.from_frame(rows[KEY])
        if len(rows) and not wanted.isin(table.index).any():
            raise InputError(_no_match(table, rows))
    else:
        wanted = pd.RangeIndex(len(rows))
        if len(table) and table.index.max() >= len(rows):
            raise InputError(
                f"concepts for row {table.index.max()} but there are {len(rows)}; they are of another store"
            )
    aligned = table.reindex(wanted).set_axis(pd.RangeIndex(len(rows)), axis=0)
    aligned.attrs = dict(table.attrs)
    return aligned


def _no_match(table: pd.DataFrame, rows: pd.DataFrame) -> str:
    theirs = ", ".join(sorted(set(table.index.get_level_values("source")))[:6])
    ours = ", ".join(sorted(set(rows["source"]))[:6])
    return (
        f"not one patch has concepts: the concept table is of the sources {theirs}, the patches are of {ours}; "
        "name the patch files as in the table (name=path)"
    )


def _from_original(path: Path, file: h5py.File) -> pd.DataFrame:
    values: dict[tuple[str, str, int], dict[str, float]] = {}
    file.visititems(lambda name, node: _collect(path, values, name, node))
    if not values:
        raise InputError(f"{path}: neither a patch store nor a concept file (/db/entry/patch_no/measure)")
    frame = pd.DataFrame(list(values.values()), index=pd.MultiIndex.from_tuples(values, names=KEY), dtype="float64")
    frame.attrs = {"units": dict.fromkeys(frame, STANDARDIZED)}
    return frame


def _collect(path: Path, values: dict, name: str, node: h5py.HLObject) -> None:
    parts = [part.strip() for part in name.split("/")]
    if not isinstance(node, h5py.Dataset) or node.size != 1 or len(parts) < 3:
        return
    # PanNuke's entries end with blanks and have no patch number.
    source, *between, measure = parts
    number = int(between.pop()) if between[-1].isdecimal() else 0
    values.setdefault((source, "/".join(between), number), {})[measure] = _number(f"{path}: {name}", node)


def _number(where: str, node: h5py.Dataset) -> float:
    text = np.asarray(node[()]).reshape(-1).tolist()[0]
    try:
        return float(text)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where} is {text!r}, not a number; write nan for an absent value") from error


def _from_csv(path: Path) -> pd.DataFrame:
    frame = read_cells(path)
    keys = ["row"] if "row" in frame else KEY
    if missing := [name for name in keys if name not in frame]:
        raise InputError(f"{path}: no column {', '.join(missing)}; a concept table begins with row or {','.join(KEY)}")
    frame = frame.assign(**{keys[-1]: row_numbers(path, frame[keys[-1]])})
    names = {name: split_unit(name) for name in frame if name not in keys}
    require_different(path, [name for name, _ in names.values()])
    columns = {name: frame[name] for name in keys} | {
        short: numbers(path, frame[name]) for name, (short, _) in names.items()
    }
    result = pd.DataFrame(columns).set_index(keys)
    if result.index.has_duplicates:
        raise InputError(f"{path}: {result.index[result.index.duplicated()][0]} is listed twice; keep one line a patch")
    result.attrs["units"] = dict(names.values())
    return result


def split_unit(header: str) -> tuple[str, str]:
    """Name and unit of a column: ("narea", "px") for `narea [px]`, the unit "" where none is given."""
    match = _HEADER.fullmatch(header)
    return (match["name"], match["unit"]) if match else (header, "")


def add_concepts(table: pd.DataFrame, path: str | Path, rows: pd.DataFrame) -> pd.DataFrame:
    """`table` (aligned with `rows`) with the concepts of the file `path` beside; those of the file win."""
    added = align_concepts(open_concepts(path), rows)
    joined = pd.concat([table.drop(columns=list(added), errors="ignore"), added], axis=1)
    joined.attrs = {"units": {**table.attrs["units"], **added.attrs["units"]}}
    return joined
