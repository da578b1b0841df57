"""The predictions table: `row,patient,slide,centre,role,label,logit,probability,domain,<concept>,<concept>_true,…`."""

from pathlib import Path

import pandas as pd

from data_prep.errors import InputError

NAMES = ("patient", "slide", "centre", "role", "domain")
COLUMNS = ("row", "patient", "slide", "centre", "role", "label", "logit", "probability", "domain")
_NUMBERS = ("row", "label", "logit", "probability")
_TRUE = "_true"


def read_predictions(path: str | Path) -> pd.DataFrame:
    """The table in `predictions.csv` with names as strings ("010" stays so, nothing is "") and label -1 = unknown.

    Raises `InputError` when there is no such file or it is not a predictions table.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; `python -m mta.evaluate RUN` writes it")
    try:
        # A patient may be called NA: only numbers can be absent.
        numbers = [name for name in pd.read_csv(path, nrows=0, encoding="utf-8") if name not in NAMES]
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(NAMES, str),
            keep_default_na=False,
            na_values={name: ["", "nan", "NaN"] for name in numbers},
            encoding="utf-8",
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a predictions table: {error}") from error
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(f"{path}: not a predictions table: no column {', '.join(missing)}")
    concepts = [column for name in concept_names(table) for column in (name, f"{name}{_TRUE}")]
    if texts := [name for name in (*_NUMBERS, *concepts) if not pd.api.types.is_numeric_dtype(table[name])]:
        raise InputError(f"{path}: not a predictions table: something in column {', '.join(texts)} is no number")
    if not (table["row"].ge(0) & table["row"].mod(1).eq(0)).all():
        raise InputError(f"{path}: not a predictions table: not every line has a row number")
    if not (table["label"].isna() | table["label"].isin((-1, 0, 1))).all():
        raise InputError(f"{path}: not a predictions table: a label is none of 0, 1, and -1 or nothing for unknown")
    return clean(table)


def clean(predictions: pd.DataFrame) -> pd.DataFrame:
    """A copy whose names are strings without NaN and whose labels are integers, -1 where unknown."""
    names = {name: predictions[name].fillna("").astype(str) for name in NAMES if name in predictions}
    return predictions.assign(**names, label=predictions["label"].fillna(-1).astype(int))


def concept_names(predictions: pd.DataFrame) -> list[str]:
    """The concepts of a predictions table, in its order: every column that has a `<column>_true` beside it."""
    return [name for name in predictions if f"{name}{_TRUE}" in predictions]
