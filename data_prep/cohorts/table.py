"""Cohorts of any kind, from a table of slides."""

from pathlib import Path

import pandas as pd

from data_prep.cohorts.entry import NORMAL, TUMOR, SlideEntry, require_different
from data_prep.errors import InputError
from data_prep.store.cells import numbers, read_cells
from data_prep.store.rows import ROLES

COLUMNS = ("slide", "name", "patient", "centre", "annotation", "mpp", "label", "role")


def read_slides(path: str | Path) -> list[SlideEntry]:
    """The slides of a CSV `slide,patient,centre,annotation,mpp[,name,label,role]`; only `slide` is required.

    `slide` and `annotation` are files, relative to the table. `name` is what the slide is called, its file's stem where
    empty. Empty cells are unknown. Raises `InputError` for other columns, files that are not there, a label other than
    normal, tumor and nothing, an unknown role, a normal slide with an annotation, and two slides of one name.
    """
    path = Path(path)
    frame = read_cells(path)
    _check(path, frame)
    frame = frame.reindex(columns=COLUMNS, fill_value="").apply(lambda column: column.str.strip())
    scales = numbers(path, frame["mpp"])
    entries = [_entry(path, line, scales[line], cells) for line, cells in enumerate(frame.to_dict("records"))]
    require_different(entries)
    return entries


def _check(path: Path, frame: pd.DataFrame) -> None:
    strange = [str(name) for name in frame if name not in COLUMNS]
    if "slide" not in frame or strange:
        what = f"column {strange[0]!r} is unknown" if strange else "no column slide"
        raise InputError(f"{path}: {what}; a table of slides has {', '.join(COLUMNS)}")
    if not len(frame):
        raise InputError(f"{path}: the table has no line below its header; list the slides")


def _entry(table: Path, line: int, mpp: float, cells: dict[str, str]) -> SlideEntry:
    where = f"{table}, line {line + 2}"
    if cells["label"] not in ("", NORMAL, TUMOR):
        raise InputError(f"{where}: label is {cells['label']!r}, not normal, tumor or nothing")
    if cells["role"] not in ("", *ROLES):
        raise InputError(f"{where}: role is {cells['role']!r}, not one of {', '.join(ROLES)} or nothing")
    if cells["label"] == NORMAL and cells["annotation"]:
        raise InputError(f"{where}: a slide that is wholly normal has no annotation; empty one of the two")
    slide = _file(where, "slide", table.parent, cells["slide"])
    annotation = _file(where, "annotation", table.parent, cells["annotation"]) if cells["annotation"] else None
    name = cells["name"] or slide.stem
    scale = None if pd.isna(mpp) else float(mpp)
    return SlideEntry(slide, name, cells["patient"], cells["centre"], annotation, scale, cells["label"], cells["role"])


def _file(where: str, column: str, folder: Path, name: str) -> Path:
    path = folder / name
    if not name or not path.exists():
        raise InputError(f"{where}: {column} {name!r} is not there ({path}); paths are relative to the table")
    return path
