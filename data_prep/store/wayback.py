"""From a flat store back into the layout of the original, byte for byte."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.store.layouts import locate
from data_prep.store.output import Output, hdf5_output
from data_prep.store.patches import Patches

_KEY = ["source", "entry"]


def store_original(
    patches: Patches, out: Path, only: str = "", progress: Callable[[Iterable[int]], Iterable[int]] = iter
) -> None:
    """Write `patches`, opened with `channels="stored"`, in the original's layout that they came from.

    Datasets, names, dtypes, channel order, locations and masks become those of the original file. `only`: one source
    of several; without it all must be of one file (the demo layout holds several sources in one). Raises
    `InputError` where the patches were made of images, and where an entry is incomplete.
    """
    entries = _entries(out, patches, only)
    with hdf5_output(out) as output:
        for number in progress(range(len(entries))):
            _write_entry(output, patches, *entries[number])


def _entries(out: Path, patches: Patches, only: str) -> list[tuple[Any, np.ndarray]]:
    """(origin record, rows in patch order) of each original entry."""
    origin = patches.origin[patches.origin["source"] == only] if only else patches.origin
    if not len(origin):
        of = f"the source {only!r} has" if only else "these patches have"
        raise InputError(f"{out}: {of} no original layout to go back to; sources here: {_sources(patches)}")
    if origin["source"].nunique() > 1 and set(origin["layout"]) != {"demo"}:
        raise InputError(f"{out}: patches of several files; write one with --only, of {_sources(patches)}")
    groups = patches.rows.groupby(_KEY, sort=False)["patch_no"].groups
    entries = []
    for record in origin.itertuples(index=False):
        numbers = patches.rows["patch_no"][groups.get((record.source, record.entry), [])].sort_values()
        _check_complete(out, record, numbers.to_numpy())
        entries.append((record, numbers.index.to_numpy()))
    return entries


def _sources(patches: Patches) -> str:
    return ", ".join(sorted(set(patches.rows["source"])))


def _check_complete(out: Path, record: Any, numbers: np.ndarray) -> None:
    if record.layout != "demo" and not np.array_equal(numbers, np.arange(len(numbers))):
        raise InputError(
            f"{out}: {record.entry} of {record.source} has {len(numbers)} patches but not all from 0 to "
            f"{numbers.max()}; convert the whole original file first"
        )


def _write_entry(output: Output, patches: Patches, record: Any, rows: np.ndarray) -> None:
    if record.layout == "demo":
        for row, number in zip(rows, patches.rows["patch_no"][rows], strict=True):
            _write(output, f"{record.source}/{record.entry}/{number}", patches[int(row)], record.pixels)
        return
    parent = record.entry.rpartition("/")[0]
    _write(output, record.entry, patches.take(rows), record.pixels)
    if record.locations:
        _write(output, f"{parent}/locations", _locations(patches, record.entry, rows), record.locations)
    if record.masks:
        _write(output, f"{parent}/mask", patches.take_masks(rows), record.masks)


def _write(output: Output, name: str, values: np.ndarray, dtype: str) -> None:
    try:
        values = values.astype(dtype)
        with output.writing(values.nbytes):
            output.file[name] = values
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} cannot be written as {dtype!r} ({error}); the store's origin table is damaged"
        ) from error


def _locations(patches: Patches, entry: str, rows: np.ndarray) -> np.ndarray:
    """(row, column) in the location grid, the inverse of `hierarchy.rows_of`."""
    place = locate(entry)
    level = place.level if place else 0
    return patches.rows.loc[rows, ["y", "x"]].to_numpy() >> level
