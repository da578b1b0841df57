"""CSV tables as they are: every cell is text until a column is asked for as numbers."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError

# Whole numbers up to here are exact as float64.
_EXACT = 2**53


@contextmanager
def csv_file(path: Path) -> Iterator[None]:
    """Say in one line when the CSV `path`, read in the block, is absent or unreadable (`InputError`)."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a CSV file") from error


def header_of(path: Path) -> set[str]:
    """The names in the first line of the CSV `path`, whatever it is; `InputError` where it cannot be read."""
    with csv_file(path), open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(65536)
    return {name.strip() for name in next(csv.reader([first], skipinitialspace=True), [])}


def read_cells(path: Path) -> pd.DataFrame:
    """The table in `path` with text cells ("NA" is a name like any other, "" = empty), its header as columns.

    A column without a header is called "Unnamed: n". Raises `InputError` where `path` cannot be read, is no table, has
    lines longer than its header, or two columns of one name.
    """
    try:
        # Without `header`, pandas neither renames equal columns nor shifts lines that are too long.
        with csv_file(path):
            lines = pd.read_csv(
                path, header=None, dtype=str, keep_default_na=False, skipinitialspace=True, encoding="utf-8-sig"
            )
    except ValueError as error:
        raise InputError(f"{path}: not a table ({str(error).strip()}); give a CSV with a header line") from error
    header = [name.strip() or f"Unnamed: {number}" for number, name in enumerate(lines.iloc[0].fillna(""))]
    require_different(path, header)
    return lines.iloc[1:].fillna("").set_axis(header, axis=1).reset_index(drop=True)


def require_different(path: Path, names: list[str]) -> None:
    """Raise `InputError` where two columns of `path` have one name."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}: several columns are called {', '.join(twice)}; give each a name of its own")


def numbers(path: Path, column: pd.Series) -> pd.Series:
    """`column` as finite float64, empty cells and `nan` NaN; `InputError` names the first line that is no number."""
    text = column.str.strip()
    absent = text.str.lower().isin(["", "nan"])
    values = pd.to_numeric(text.where(~absent), errors="coerce").astype("float64")
    _require(path, column, values.notna() | absent, "a number; empty means unknown")
    _require(path, column, ~np.isinf(values), "a finite number")
    return values


def resolutions(path: Path, column: pd.Series) -> pd.Series:
    """`column` as micrometres a pixel, NaN where unknown; `InputError` names the first line that is none."""
    values = numbers(path, column)
    _require(path, column, values.isna() | (values > 0), "a number above 0; empty means unknown")
    return values


def whole_numbers(path: Path, column: pd.Series, unknown: int | None = None) -> pd.Series:
    """`column` as int64; empty cells are `unknown`, or refused where that is None. `InputError` names the line."""
    values = numbers(path, column)
    values = values if unknown is None else values.fillna(unknown)
    _require(path, column, (values == values.round()) & (values.abs() < _EXACT), "a whole number")
    return values.astype("int64")


def row_numbers(path: Path, column: pd.Series) -> pd.Series:
    """`column` as int64 of 0 and more; `InputError` names the first line that is something else."""
    values = whole_numbers(path, column)
    _require(path, column, values >= 0, "0 or more")
    return values


def _require(path: Path, column: pd.Series, good: pd.Series, what: str) -> None:
    if not good.all():
        line = int(np.flatnonzero(~good)[0])
        raise InputError(f"{path}, line {line + 2}: {column.name} is {column[line]!r}, not {what}")
