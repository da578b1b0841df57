"""A cross-validated run as one: what its folds have in common, and what is pooled over them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from mta.data.dataset import Coding
from mta.reporting.evidence import Evidence
from mta.run_folder import RunFolder


def pooled(
    folder: RunFolder,
    name: str,
    record: dict[str, Any],
    folds: Sequence[Evidence],
    predictions: pd.DataFrame,
    by_fold: pd.DataFrame,
) -> Evidence:
    """The run in `folder` of which `folds` are parts.

    `record`: its `run.json`. `predictions`: the internal tests of all folds. `by_fold`: its `folds.csv`. Raises
    `InputError` where the splits of two folds are not of one store.
    """
    centres = tuple(dict.fromkeys(centre for fold in folds for centre in fold.coding.centres))
    return Evidence(
        name=name,
        folder=folder,
        config=folder.config(),
        record={**_shared(folds), **record},
        coding=Coding(folds[0].coding.scales, centres),
        split=_split(folds),
        predictions=predictions,
        history=pd.DataFrame(),
        evaluated={},
        folds=tuple(folds),
        by_fold=by_fold,
    )


def _shared(folds: Sequence[Evidence]) -> dict[str, Any]:
    """What `run.json` of the folds says of all of them."""
    records = [fold.record for fold in folds]
    leaks = [record.get("leaks") for record in records]
    known = [record["mpp"] for record in records if record.get("mpp")]
    return {
        "encoder": records[0].get("encoder", ""),
        "mpp": float(np.median(known)) if known else None,
        "leaks": None if None in leaks else list(dict.fromkeys(leak for some in leaks for leak in some or ())),
    }


def _split(folds: Sequence[Evidence]) -> pd.DataFrame:
    """Internal test is what one of the folds tests, external test what all keep apart."""
    first = folds[0].split
    tested = np.zeros(len(first), bool)
    for fold in folds:
        if not fold.split["row"].equals(first["row"]):
            raise InputError(
                f"{fold.folder.file('split.csv')}: has other rows than that of {folds[0].name}; train again"
            )
        tested |= (fold.split["role"] == "internal_test").to_numpy()
    apart = (first["role"] == "external_test").to_numpy()
    return first.assign(role=np.select([tested, apart], ["internal_test", "external_test"], ""))
