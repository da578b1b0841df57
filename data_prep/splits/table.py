"""Split tables: ours (`row,patient,slide,centre,role`) and the original's (`db, entry_path, patch_no, split`)."""

from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.files import replacing
from data_prep.splits.roles import role_named
from data_prep.store import KEY, read_original_split
from data_prep.store.cells import header_of, read_cells, row_numbers
from data_prep.store.words import counted


def read_split(spec: str | Path, rows: pd.DataFrame) -> np.ndarray:
    """The role of every row (n,), "" where the split names none.

    `spec` is one path, or several with the role that all their lines get, which overrides what the file says:
    `train=train.csv,validation=val.csv,internal_test=test.csv,external_test=test2.csv`. A file is a split
    table of ours when its first line names the columns `row` and `role`, else an original one; its 3-field form
    needs the role in `spec`. Raises `InputError` when a file does not fit the store or two roles claim a patch.
    """
    roles = np.full(len(rows), "", dtype=object)
    for role, path in _files(str(spec)):
        named = _ours(path, rows) if _is_ours(path) else _originals(path, rows, role)
        named = np.where(named != "", role, "") if role else named
        if (clash := (roles != "") & (named != "") & (roles != named)).any():
            raise _claimed_twice(path, rows, clash, roles, named)
        roles = np.where(named != "", named, roles)
    return roles.astype(str)


def write_split(path: str | Path, rows: pd.DataFrame, roles: np.ndarray) -> None:
    """Write the split table of `rows` (n) with `roles` (n,) to `path` (CSV), whole or not at all."""
    table = rows[["patient", "slide", "centre"]].assign(role=np.asarray(roles))
    with replacing(path) as temporary:
        table.to_csv(temporary, index_label="row")


def _files(spec: str) -> list[tuple[str, Path]]:
    """(role or "", path) of each file in `spec`."""
    if "=" not in spec or Path(spec).is_file():
        return [("", _existing(spec))]
    pairs = [part.partition("=") for part in spec.split(",")]
    return [(role_named(name.strip(), f"split {spec}"), _existing(path.strip())) for name, _, path in pairs]


def _existing(path: str) -> Path:
    if not Path(path).is_file():
        raise InputError(f"{path}: no such split file; a split is `column`, `patient`, a CSV file or role=file.csv,…")
    return Path(path)


def _is_ours(path: Path) -> bool:
    return {"row", "role"} <= header_of(path)


def _ours(path: Path, rows: pd.DataFrame) -> np.ndarray:
    table = read_cells(path)
    number = row_numbers(path, table["row"]).to_numpy()
    if outside := int((number >= len(rows)).sum()):
        raise InputError(
            f"{path}: {counted(outside, 'line')} for rows beyond this store of {len(rows)}: another store's split?"
        )
    _require_patients(path, table, number, rows)
    roles = np.array([role_named(role, str(path)) for role in table["role"]], dtype=object)
    return _placed(path, number, roles, rows)


def _require_patients(path: Path, table: pd.DataFrame, number: np.ndarray, rows: pd.DataFrame) -> None:
    if "patient" not in table:
        return
    true = rows["patient"].to_numpy()[number]
    wrong = np.flatnonzero(table["patient"].to_numpy() != true)
    if len(wrong):
        line = table.iloc[wrong[0]]
        raise InputError(
            f"{path}: {len(wrong)} rows have another patient in the store, first row {line['row']}: "
            f"{line['patient']!r} here, {true[wrong[0]]!r} there; this split belongs to another store"
        )


def _originals(path: Path, rows: pd.DataFrame, role: str) -> np.ndarray:
    lines = read_original_split(path)
    if not role and (lines["split"] == "").any():
        raise InputError(f"{path}: no split name in its lines; say which role they have, e.g. validation={path}")
    index = rows[KEY].assign(row=np.arange(len(rows)))
    number = lines[KEY].merge(index, how="left", on=KEY)["row"]
    if number.isna().any():
        raise _lacking(path, lines, number.isna().to_numpy())
    names = [role] * len(lines) if role else [role_named(name, str(path)) for name in lines["split"]]
    return _placed(path, number.to_numpy(dtype=int), np.array(names, dtype=object), rows)


def _placed(path: Path, number: np.ndarray, names: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    """`names` (lines,) at their row `number` (lines,); repeated lines count once, contradictions are refused."""
    placed = np.full(len(rows), "", dtype=object)
    placed[number] = names
    if (clash := placed[number] != names).any():
        first = int(np.flatnonzero(clash)[0])
        mask = np.isin(np.arange(len(rows)), number[first])
        raise _claimed_twice(path, rows, mask, np.full(len(rows), names[first]), placed)
    if repeated := len(number) - len(np.unique(number)):
        warn(f"{path}: {repeated} repeated lines count once")
    return placed


def _lacking(path: Path, lines: pd.DataFrame, lacking: np.ndarray) -> InputError:
    first = ", ".join(str(value) for value in lines[lacking].iloc[0][KEY])
    return InputError(
        f"{path}: {int(lacking.sum())} of {len(lines)} lines name patches that the store lacks, first: {first}; "
        "give the files under the names that the split uses, e.g. cam16=a.h5,all500=b.h5"
    )


def _claimed_twice(
    path: Path, rows: pd.DataFrame, clash: np.ndarray, roles: np.ndarray, named: np.ndarray
) -> InputError:
    row = int(np.flatnonzero(clash)[0])
    patch = ", ".join(str(rows[name].iloc[row]) for name in KEY)
    return InputError(
        f"{path}: {int(clash.sum())} patches are claimed by two roles, first row {row} ({patch}): "
        f"{roles[row]} and {named[row]}; leave each in one"
    )
