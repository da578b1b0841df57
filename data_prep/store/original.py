"""The original's split files."""

from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from data_prep.store.cells import csv_file
from data_prep.store.rows import KEY

_DIGITS = 18  # of numbers that 64 bits hold


def read_original_split(path: str | Path) -> pd.DataFrame:
    """Read a split file of the original: `db, entry_path, patch_no[, split]` a line, no header.

    Returns the columns `source`, `entry`, `patch_no` (int) and `split` (train, validation, test, test2 or "" where
    the line has three fields), in file order with duplicates kept. `InputError` names the first bad line.
    """
    path = Path(path)
    try:
        with csv_file(path):
            lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file; give a CSV of db, entry_path, patch_no, split") from error
    records = [_fields(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    frame = pd.DataFrame(records, columns=[*KEY, "split"])
    return frame.astype({"source": "str", "entry": "str", "patch_no": "int64", "split": "str"})


def _fields(path: Path, number: int, line: str) -> tuple[str, str, int, str]:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) not in (3, 4) or not fields[2].isdecimal() or len(fields[2]) > _DIGITS:
        raise InputError(f"{path}, line {number}: expected `db, entry_path, patch_no[, split]`, got {line!r}")
    return fields[0], fields[1].strip("/"), int(fields[2]), fields[3] if len(fields) == 4 else ""
