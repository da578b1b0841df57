"""The table of slides with embeddings: `features,slide,patient,centre,role,label,annotation,patches,…`."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from data_prep.store.cells import header_of, numbers, read_cells, resolutions
from data_prep.store.rows import ROLES

COLUMNS = (
    *("features", "slide", "patient", "centre", "role", "label", "annotation", "patches"),
    *("patch_size_level0", "mpp"),
)
_LABELS = {"": -1, "normal": 0, "0": 0, "tumor": 1, "1": 1}


@dataclass(frozen=True)
class SlideLine:
    """One slide of a table: files, names for the rows of its patches ("" = unknown), and where their labels come from.

    `entry`: the features file as the table names it. `label`: of all patches, -1 unknown. `annotation`: a drawing from
    which labels follow. `patches`: a table of labels and concepts of single patches. `side`: edge of a patch in level-0
    pixels in place of the file's own. `mpp`: micrometres a pixel of the patches, NaN unknown.
    """

    path: Path
    entry: str
    slide: str
    patient: str = ""
    centre: str = ""
    role: str = ""
    label: int = -1
    annotation: Path | None = None
    patches: Path | None = None
    side: float | None = None
    mpp: float = float("nan")


def names_embeddings(path: Path) -> bool:
    """Whether `path` is a CSV with a column `features`."""
    return path.suffix.lower() == ".csv" and path.is_file() and "features" in header_of(path)


def read_lines(path: Path) -> list[SlideLine]:
    """The slides of the table `path`; only `features` is required, paths are relative to the table.

    Empty cells are unknown; `slide` is the name of the features file without its ending. Raises `InputError` for other
    columns, files that are not there, unknown labels and roles, a label beside an annotation, and a slide listed twice.
    """
    frame = read_cells(path)
    if strange := [str(name) for name in frame if name not in COLUMNS]:
        raise InputError(f"{path}: column {strange[0]!r} is unknown; a table of embeddings has {', '.join(COLUMNS)}")
    if not len(frame):
        raise InputError(f"{path}: the table has no line below its header; list the features files")
    frame = frame.reindex(columns=list(COLUMNS), fill_value="").apply(lambda column: column.str.strip())
    sides, scales = numbers(path, frame["patch_size_level0"]), resolutions(path, frame["mpp"])
    return [
        _line(path, number, cells, sides[number], scales[number])
        for number, cells in enumerate(frame.to_dict("records"))
    ]


def _line(table: Path, number: int, cells: dict[str, str], side: float, mpp: float) -> SlideLine:
    where = f"{table}, line {number + 2}"
    if cells["label"] not in _LABELS:
        raise InputError(f"{where}: label is {cells['label']!r}, not normal (0), tumor (1) or nothing")
    if cells["role"] not in ("", *ROLES):
        raise InputError(f"{where}: role is {cells['role']!r}, not one of {', '.join(ROLES)} or nothing")
    if cells["label"] and cells["annotation"]:
        raise InputError(f"{where}: a label for all patches and an annotation; empty one of the two")
    if not pd.isna(side) and side <= 0:
        raise InputError(f"{where}: patch_size_level0 is {side:g}; give level-0 pixels, or nothing")
    features = _file(where, "features", table.parent, cells["features"])
    annotation, patches = (
        _file(where, name, table.parent, cells[name]) if cells[name] else None for name in ("annotation", "patches")
    )
    return SlideLine(
        features,
        cells["features"],
        cells["slide"] or features.stem,
        cells["patient"],
        cells["centre"],
        cells["role"],
        _LABELS[cells["label"]],
        annotation,
        patches,
        None if pd.isna(side) else float(side),
        float(mpp),
    )


def _file(where: str, column: str, folder: Path, name: str) -> Path:
    path = folder / name
    if not name or not path.is_file():
        raise InputError(f"{where}: {column} {name!r} is not there ({path}); paths are relative to the table")
    return path


def require_different(lines: list[SlideLine]) -> None:
    """Raise `InputError` where one features file, or one slide, stands twice among `lines`."""
    paths = Counter(line.path.resolve() for line in lines)
    if twice := [line for line in lines if paths[line.path.resolve()] > 1]:
        raise InputError(f"{twice[0].path}: these features are listed twice; keep one line a slide")
    names = Counter(line.slide for line in lines)
    if twice := [line for line in lines if names[line.slide] > 1]:
        second = next(line.path for line in twice[1:] if line.slide == twice[0].slide)
        raise InputError(
            f"{twice[0].path} and {second}: two slides called {twice[0].slide!r}; tell them apart in the column slide"
        )
