"""Tables of images (`path,label[,patient,slide,centre,role,x,y,mpp,<concept>…]`) and what their columns mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import normpath
from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from data_prep.store.cells import numbers, read_cells, require_different, resolutions, whole_numbers
from data_prep.store.concepts import add_concepts, split_unit
from data_prep.store.rows import LABELS, ROLES, make_rows

_TEXTS = ("patient", "slide", "centre", "role")
_CORNER = ("x", "y")
_KNOWN = {"path", "label", "mpp", *_TEXTS, *_CORNER}


@dataclass(frozen=True)
class ImageTable:
    """Images with their rows and concepts (`attrs["units"]`), and the columns that were of no use."""

    paths: list[Path]
    rows: pd.DataFrame
    concepts: pd.DataFrame
    ignored: list[str]

    def with_concepts(self, path: str | Path) -> "ImageTable":
        """The same table with the concepts of the file `path` (CSV by `row`, or by source, entry, patch_no) beside."""
        return replace(self, concepts=add_concepts(self.concepts, path, self.rows))


def read_table(
    path: str | Path, label_map: Mapping[str, str] | None = None, concept_columns: Sequence[str] = ()
) -> ImageTable:
    """Read a table; image paths are relative to it, other numeric columns are concepts (`narea [px]` has a unit).

    `label_map` says which labels mean "normal", "tumor" or "" (unlabelled). `concept_columns` picks the
    concepts by header; by default all numeric ones. Raises `InputError` for a missing column, an unknown label or
    role, text where a number belongs (also in a column of which half or more are numbers), and an image listed twice.
    """
    path = Path(path)
    frame = _read(path)
    concepts, ignored = _concepts(path, frame, concept_columns)
    values = {name: frame[name] for name in _TEXTS if name in frame}
    values |= {name: whole_numbers(path, frame[name], -1) for name in _CORNER if name in frame}
    values |= {"mpp": resolutions(path, frame["mpp"])} if "mpp" in frame else {}
    _check_roles(path, frame)
    values |= {"source": path.stem, "entry": frame["path"], "label": _labels(path, frame["label"], label_map or {})}
    images = [path.parent / name for name in frame["path"]]
    _require_once(path, images)
    return ImageTable(images, make_rows(len(frame), values), concepts, ignored)


def _require_once(path: Path, images: list[Path]) -> None:
    """Raise `InputError` where two lines of `path` name one image."""
    names = pd.Series([normpath(image) for image in images])
    if names.duplicated().any():
        name = names[names.duplicated()].iloc[0]
        lines = [str(row + 2) for row in names.index[names == name]]
        raise InputError(f"{path}, lines {', '.join(lines)}: all name the image {name}; keep one of them")


def parse_label_map(text: str) -> dict[str, str]:
    """`tumour=tumor,unknown=` as {"tumour": "tumor", "unknown": ""}; `InputError` on anything but the known labels."""
    pairs = [item.partition("=") for item in text.split(",") if item.strip()]
    mapping = {key.strip(): value.strip() for key, _, value in pairs}
    if any(not separator for _, separator, _ in pairs) or set(mapping.values()) - set(LABELS):
        raise InputError(f"--label-map {text}: write theirs=ours,… where ours is normal, tumor or nothing (unlabelled)")
    return mapping


def _read(path: Path) -> pd.DataFrame:
    frame = read_cells(path)
    if missing := [name for name in ("path", "label") if name not in frame]:
        raise InputError(f"{path}: no column {', '.join(missing)}; a table has path,label and what else is known")
    if not len(frame):
        raise InputError(f"{path}: the table has no line below its header; list the images")
    return frame


def _labels(path: Path, column: pd.Series, label_map: Mapping[str, str]) -> pd.Series:
    codes = {name: LABELS[ours] for name, ours in ({name: name for name in LABELS} | dict(label_map)).items()}
    if unknown := sorted(set(column) - set(codes)):
        remedy = ",".join(f"{name}=tumor" for name in unknown[:2])
        raise InputError(
            f"{path}: unknown labels {', '.join(map(repr, unknown[:8]))}; say what they mean, as in "
            f"--label-map {remedy} (ours: normal, tumor, nothing = unlabelled)"
        )
    return column.map(codes)


def _check_roles(path: Path, frame: pd.DataFrame) -> None:
    if "role" in frame and (strange := sorted(set(frame["role"]) - {"", *ROLES})):
        raise InputError(f"{path}: unknown roles {', '.join(map(repr, strange[:8]))}; they are {', '.join(ROLES)}")


def _concepts(path: Path, frame: pd.DataFrame, chosen: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The concept columns as float64, and the names of the columns left out."""
    if missing := [name for name in chosen if name not in frame]:
        raise InputError(f"{path}: no column {', '.join(missing)} to take as a concept")
    others = [str(name) for name in frame if name not in _KNOWN]
    # pandas names a column without a header "Unnamed: n"; it is some tool's line number.
    named = [name for name in others if not name.startswith("Unnamed: ")]
    taken = list(chosen) or [name for name in named if _is_numeric(path, frame[name])]
    names = {name: split_unit(name) for name in taken}
    require_different(path, [name for name, _ in names.values()])
    concepts = pd.DataFrame({names[name][0]: numbers(path, frame[name]) for name in taken}, index=frame.index)
    concepts.attrs["units"] = dict(names.values())
    return concepts, [name for name in others if name not in taken]


def _is_numeric(path: Path, column: pd.Series) -> bool:
    """Whether `column` holds numbers; `InputError` where it does but for some cells (half of them or fewer)."""
    filled = column[~column.str.strip().str.lower().isin(["", "nan"])]
    share = pd.to_numeric(filled, errors="coerce").notna().mean() if len(filled) else 0.0
    if share < 0.5:
        return False
    try:
        numbers(path, column)
    except InputError as error:
        raise InputError(f"{error}; empty the cell, or name the concepts with --concept-columns") from error
    return True
