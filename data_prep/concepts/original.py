"""Concepts in the layout of the original's concept file: z-scores as byte strings, one dataset a value."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.output import Output, hdf5_output

Progress = Callable[[Iterable[int]], Iterable[int]]
# A group for a patch and a dataset for a value take about this many bytes beside the value.
_OVERHEAD = 2048


def write_original(
    path: str | Path, table: pd.DataFrame, fitted: np.ndarray, progress: Progress = iter
) -> pd.DataFrame:
    """Write `table` (under a MultiIndex of source, entry, patch_no) as `/source/entry/patch_no/concept`, whole or not.

    Each value is (value - mean) / std, with the mean and population deviation of the rows `fitted` (n,) bool, as
    Python 2 printed floats (12 significant digits), a byte string of shape (1,); absent ones have no dataset. Concepts
    that are absent or constant on those rows are left out. Returns mean and std of the others, by concept, which the
    file keeps in its attribute `scales` (JSON); that of the authors has none. Raises `InputError` where nothing is
    left, and for names that HDF5 cannot hold.
    """
    scales = _scales(path, table[fitted])
    scores = (table[scales.index] - scales["mean"]) / scales["std"]
    places = [_place(path, *key) for key in table.index]
    with hdf5_output(path) as output:
        for number in progress(range(len(places))):
            _write_patch(output, places[number], scores.iloc[number])
        with output.writing(0):
            output.file.attrs["scales"] = json.dumps(scales.to_dict("index"))
    return scales


def _scales(path: str | Path, rows: pd.DataFrame) -> pd.DataFrame:
    scales = pd.DataFrame({"mean": rows.mean(), "std": rows.std(ddof=0)})
    scales = scales[scales["std"] > 1e-12 * scales["mean"].abs().clip(lower=1)]
    if scales.empty:
        raise InputError(f"{path}: no concept varies over the {len(rows)} rows for z-scores; there is nothing to write")
    return scales


def _place(path: str | Path, source: str, entry: str, number: int) -> str:
    """Where a patch's values go; `InputError` where HDF5 would read the names otherwise than they are written."""
    parts = entry.split("/") if entry else []
    if "/" in source or any(part in ("", ".") or part != part.strip() for part in (source, *parts)):
        raise InputError(
            f"{path}: {source!r} {entry!r} cannot be a path in the original's layout; rename it in the store"
        )
    return "/".join([source, *parts, str(number)])


def _write_patch(output: Output, place: str, scores: pd.Series) -> None:
    known = scores[scores.notna()]
    with output.writing(_OVERHEAD * (len(known) + 1)):
        for name, value in known.items():
            output.file[f"{place}/{name}"] = np.array([python2_str(value).encode()])


def python2_str(value: float) -> str:
    """`str(value)` of Python 2: 12 significant digits, and always a point or an exponent."""
    text = f"{value:.12g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"
