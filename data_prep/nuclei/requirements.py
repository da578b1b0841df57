"""What a segmenter must know of a patch."""

import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.paths import describe


def require_mpp(rows: pd.DataFrame) -> None:
    """Raise `InputError` where a row does not know its micrometres a pixel."""
    unknown = rows[rows["mpp"].isna()]
    if len(unknown):
        first = describe(next(unknown.itertuples()))
        where = f"{len(unknown)} of {len(rows)} patches, the first {first},"
        raise InputError(f"{where} have no mpp; say it with --mpp, as --mpp 0.25 for 40x")
