"""The row table that stands beside every set of patches: one row a patch, always the same columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from data_prep.errors import InputError

ROLES = ("train", "validation", "internal_test", "external_test")
LABELS = {"normal": 0, "tumor": 1, "": -1}
# column -> (dtype, what stands for "unknown")
_COLUMNS: dict[str, tuple[str, Any]] = {
    "source": ("str", ""),
    "entry": ("str", ""),
    "patch_no": ("int64", 0),
    "patient": ("str", ""),
    "slide": ("str", ""),
    "centre": ("str", ""),
    "label": ("int64", -1),
    "x": ("int64", -1),
    "y": ("int64", -1),
    "mpp": ("float64", np.nan),
    "role": ("str", ""),
    "stored_bgr": ("bool", False),
}
ROW_COLUMNS = tuple(_COLUMNS)
COLUMN_TYPES = {name: dtype for name, (dtype, _) in _COLUMNS.items()}
_DTYPES = {name: pd.Series(dtype=dtype).dtype for name, dtype in COLUMN_TYPES.items()}
KEY = ["source", "entry", "patch_no"]


def make_rows(count: int, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A row table of `count` rows; columns missing in `values` hold their "unknown".

    `values` maps column names to a scalar or a sequence of length `count`. Unknown is "" for texts, -1 for
    `label`, `x` and `y` (level-0 pixels), NaN for `mpp` (micrometres a pixel), 0 for `patch_no`.
    """
    given = {name: unknown for name, (_, unknown) in _COLUMNS.items()} | dict(values or {})
    if strange := sorted(set(given) - set(_COLUMNS)):
        raise InputError(f"unknown row columns {', '.join(strange)}; the columns are {', '.join(ROW_COLUMNS)}")
    index = pd.RangeIndex(count)
    # Not by the names of the types: pandas looks each up among all that it knows.
    columns = {name: pd.Series(_aligned(given[name]), index=index, dtype=dtype) for name, dtype in _DTYPES.items()}
    return pd.DataFrame(columns, index=index, copy=False)  # it would look for an index common to all


def _aligned(value: Any) -> Any:
    return value.to_numpy() if isinstance(value, pd.Series) else value


def complete_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with all columns of `ROW_COLUMNS` in their order and dtypes, and a RangeIndex."""
    if frame.dtypes.to_dict() == _DTYPES and tuple(frame.columns) == ROW_COLUMNS and _is_counted(frame.index):
        return frame.copy(deep=False)  # to make a table anew takes as long as to read some patches
    return make_rows(len(frame), {str(name): frame[name] for name in frame})


def _is_counted(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)


def join_rows(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Several row tables under one RangeIndex; none gives an empty table."""
    return complete_rows(pd.concat(frames, ignore_index=True)) if frames else make_rows(0)


def text_column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as an object array of `str`, as h5py wants it."""
    return frame[name].to_numpy(dtype=object, na_value="")
