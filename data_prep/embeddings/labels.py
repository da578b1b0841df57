"""Labels and concepts of the patches of one slide: from its line, from what was drawn, and from a table of patches."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.annotations.reading import read_drawn
from data_prep.console import warn
from data_prep.embeddings.slide_file import SlideFile
from data_prep.embeddings.table import SlideLine
from data_prep.errors import InputError
from data_prep.store.cells import numbers, read_cells, require_different, whole_numbers
from data_prep.store.concepts import split_unit
from data_prep.store.rows import LABELS

COVERAGE = 0.6
"""Least share of a tumor patch that is annotated; the default of `extract`."""
_ROUNDING = 1e-9
_CODES = {**LABELS, "0": 0, "1": 1}
# Larger than any slide, for annotations of a slide whose size nobody knows.
_ANYWHERE = (2**30, 2**30)


@dataclass(frozen=True)
class _Area:
    """As much of a slide as an annotation needs to know."""

    name: str
    size: tuple[int, int]


def slide_labels(line: SlideLine, file: SlideFile) -> np.ndarray:
    """The labels (n,) int8 of the patches of a slide: that of its line, or by its annotation; -1 unknown.

    By the rules of `extract`: a patch is tumor where at least 60 % of its area is annotated, normal where neither the
    annotation nor a region left aside touches it, and unlabelled between.

    Raises `InputError` for an annotation that cannot be used, or for patches of unknown size.
    """
    if line.annotation is None:
        return np.full(len(file.corners), line.label, np.int8)
    side = line.side or file.side
    if side is None:
        raise InputError(
            f"{line.path}: does not say how large its patches are, which the annotation needs; give level-0 pixels "
            "in a column patch_size_level0 of the table"
        )
    if find_spec("shapely") is None:
        raise InputError(f"{line.annotation}: annotations need shapely: pip install -e '.[slides]'")
    return _drawn_labels(line, file, line.annotation, side)


def _drawn_labels(line: SlideLine, file: SlideFile, annotation: Path, side: float) -> np.ndarray:
    from data_prep.sampling.shares import AreaShares

    drawn = read_drawn(annotation, _Area(line.slide, file.size or _ANYWHERE))
    if drawn.notes:
        warn(f"{annotation}: {'; '.join(drawn.notes)}")
    x, y = file.corners.astype(float).T
    tumor = AreaShares(drawn.tumor)
    touched = tumor.touches(x, y, side) | AreaShares(drawn.aside).touches(x, y, side)
    labels = np.where(touched, -1, 0).astype(np.int8)
    labels[tumor.of(x, y, side) >= COVERAGE - _ROUNDING] = 1
    return labels


@dataclass(frozen=True)
class PatchTable:
    """Labels (n,), with -2 where the table says nothing, and concepts (n, …) with units, of the patches of a slide."""

    labels: np.ndarray
    concepts: pd.DataFrame


def read_patch_table(path: Path, file: SlideFile) -> PatchTable:
    """The table `x,y[,label,<concept>…]` of single patches, matched to those of `file` by their corners.

    Patches need not all be listed. Every other column is a concept, `narea [px]` with a unit. Raises `InputError` for a
    place without a patch or listed twice, an unknown label, and a concept that is no number.
    """
    frame = read_cells(path)
    if missing := [name for name in ("x", "y") if name not in frame]:
        raise InputError(f"{path}: no column {', '.join(missing)}; a table of patches has x,y[,label,<concept>...]")
    listed = pd.MultiIndex.from_arrays([whole_numbers(path, frame[name]) for name in ("x", "y")])
    _require_once(path, listed)
    line = listed.get_indexer(pd.MultiIndex.from_arrays(list(file.corners.astype(np.int64).T)))
    _require_placed(path, listed, line, file.path)
    found = line >= 0
    labels = np.full(len(line), -2, np.int8)
    if "label" in frame:
        labels[found] = _codes(path, frame["label"].str.strip())[line[found]]
    return PatchTable(labels, _concepts(path, frame, line))


def _require_once(path: Path, listed: pd.MultiIndex) -> None:
    if listed.has_duplicates:
        x, y = listed[listed.duplicated()][0]
        raise InputError(f"{path}: the patch at x {x}, y {y} is listed twice; keep one line")


def _require_placed(path: Path, listed: pd.MultiIndex, line: np.ndarray, features: Path) -> None:
    without = np.setdiff1d(np.arange(len(listed)), line)
    if len(without):
        x, y = listed[without[0]]
        raise InputError(
            f"{path}, line {without[0] + 2}: {features.name} has no patch at x {x}, y {y} ({len(without)} such lines); "
            "give the corners that its coords have"
        )


def _codes(path: Path, column: pd.Series) -> np.ndarray:
    """0, 1, and -2 for an empty cell, which leaves what else is known of the patch."""
    if strange := sorted(set(column) - set(_CODES)):
        raise InputError(
            f"{path}: unknown labels {', '.join(map(repr, strange[:8]))}; they are normal (0) and tumor (1)"
        )
    return column.map({**_CODES, "": -2}).to_numpy(np.int8)


def _concepts(path: Path, frame: pd.DataFrame, line: np.ndarray) -> pd.DataFrame:
    names = {name: split_unit(str(name)) for name in frame if name not in ("x", "y", "label")}
    require_different(path, [name for name, _ in names.values()])
    values = pd.DataFrame({short: numbers(path, frame[name]) for name, (short, _) in names.items()}, index=frame.index)
    aligned = values.reindex(np.where(line >= 0, line, -1)).set_axis(pd.RangeIndex(len(line)), axis=0)
    aligned.attrs["units"] = dict(names.values())
    return aligned
