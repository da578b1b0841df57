"""From a table of slides, a features file or a folder of them to one set of embeddings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.embeddings.embeddings import Content, Embeddings, categories
from data_prep.embeddings.labels import PatchTable, read_patch_table, slide_labels
from data_prep.embeddings.slide_file import SlideFile, has_embeddings, read_slide_file
from data_prep.embeddings.table import SlideLine, names_embeddings, read_lines, require_different
from data_prep.errors import InputError
from data_prep.store.opening import parse_spec
from data_prep.store.rows import ROW_COLUMNS

_ENDINGS = (".h5", ".hdf5")


def is_embeddings(spec: str | Path) -> bool:
    """Whether `spec` (as in `open_patches`) names embeddings.

    They are tables with a column `features`, features files, or folders of them. Raises `InputError` where only some of
    several are.
    """
    pairs = parse_spec(spec)
    found = [_holds_embeddings(path) for _, path in pairs]
    if any(found) and not all(found):
        raise InputError(f"{spec}: {pairs[found.index(False)][1]} holds no embeddings, others do; give them apart")
    return all(found)


def open_embeddings(spec: str | Path) -> Embeddings:
    """Open embeddings: a table of slides (`docs/embeddings.md`), a features file, a folder, or several under names.

    The names, else the stems of the paths, become `rows["source"]`; the features file as it is named becomes `entry`,
    the place in it `patch_no`. Shapes, coordinates and labels are read now, features when they are asked for.

    Raises `InputError` for files that are missing, damaged or foreign, embeddings of several widths or encoders, slides
    listed twice, and labels that do not fit.
    """
    named = [(name, line) for name, path in parse_spec(spec) for line in _lines(path)]
    lines = [line for _, line in named]
    require_different(lines)
    files = [read_slide_file(line.path) for line in lines]
    width = _common(files, lambda file: file.width, "width")
    encoder = _common([file for file in files if file.encoder], lambda file: file.encoder, "encoder")
    counts = [len(file.corners) for file in files]
    tables = [
        None if line.patches is None else read_patch_table(line.patches, file)
        for line, file in zip(lines, files, strict=True)
    ]
    rows = _rows([name for name, _ in named], lines, files, tables)
    return Embeddings(
        Content([line.path for line in lines], counts, width or 0, rows, _concepts(tables, counts), encoder or "")
    )


def named_files(spec: str | Path) -> list[Path]:
    """Every file behind the embeddings `spec` but the tables of slides themselves: features, annotations, patches."""
    lines = [line for _, path in parse_spec(spec) for line in _lines(path)]
    return [path for line in lines for path in (line.path, line.annotation, line.patches) if path is not None]


def _holds_embeddings(path: Path) -> bool:
    if path.is_dir():
        return any(has_embeddings(file) for file in _in_folder(path))
    return names_embeddings(path) or has_embeddings(path)


def _in_folder(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _ENDINGS)


def _lines(path: Path) -> list[SlideLine]:
    if path.is_dir():
        if not (found := _in_folder(path)):
            raise InputError(f"{path}: no features file in this folder ({', '.join(_ENDINGS)}); is it another?")
        return [SlideLine(file, file.name, file.stem) for file in found]
    return read_lines(path) if path.suffix.lower() == ".csv" else [SlideLine(path, path.name, path.stem)]


def _common(files: list[SlideFile], fact: Callable[[SlideFile], Any], what: str) -> Any:
    """The value on which all `files` agree, None without any; `InputError` names two that do not."""
    found: dict[Any, Path] = {}
    for file in files:
        found.setdefault(fact(file), file.path)
    if len(found) > 1:
        (value, path), (other, culprit) = list(found.items())[:2]
        raise InputError(
            f"{culprit}: its {what} is {other}, that of {path} is {value}; embed all slides with one encoder"
        )
    return next(iter(found), None)


def _rows(
    sources: list[str], lines: list[SlideLine], files: list[SlideFile], tables: list[PatchTable | None]
) -> pd.DataFrame:
    counts = [len(file.corners) for file in files]
    names = ("entry", "patient", "slide", "centre", "role")
    corners = np.concatenate([file.corners for file in files])
    columns = {name: categories([getattr(line, name) for line in lines], counts) for name in names}
    columns |= {
        "source": categories(sources, counts),
        "patch_no": np.concatenate([np.arange(count, dtype=np.int32) for count in counts]),
        "label": np.concatenate([_labels(*parts) for parts in zip(lines, files, tables, strict=True)]),
        "x": corners[:, 0].copy(),
        "y": corners[:, 1].copy(),
        "mpp": np.repeat([line.mpp for line in lines], counts),
        "stored_bgr": np.zeros(len(corners), bool),
    }
    return pd.DataFrame({name: columns[name] for name in ROW_COLUMNS})


def _labels(line: SlideLine, file: SlideFile, table: PatchTable | None) -> np.ndarray:
    labels = slide_labels(line, file)
    return labels if table is None else np.where(table.labels == -2, labels, table.labels)


def _concepts(tables: list[PatchTable | None], counts: list[int]) -> pd.DataFrame:
    """The concepts of all slides, NaN where a slide's table lacks one; `InputError` where they differ in unit."""
    units: dict[str, str] = {}
    for table in tables:
        for name, unit in ({} if table is None else table.concepts.attrs["units"]).items():
            if units.setdefault(name, unit) != unit:
                raise InputError(f"concept {name}: in {units[name]!r} for some slides and {unit!r} for others")
    columns = {
        name: np.concatenate([_column(table, name, count) for table, count in zip(tables, counts, strict=True)])
        for name in units
    }
    concepts = pd.DataFrame(columns, index=pd.RangeIndex(sum(counts)))
    concepts.attrs["units"] = units
    return concepts


def _column(table: PatchTable | None, name: str, count: int) -> np.ndarray:
    if table is None or name not in table.concepts:
        return np.full(count, np.nan)
    return table.concepts[name].to_numpy()
