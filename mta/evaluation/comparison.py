"""Two models on the same test rows, from their predictions tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import ROLES, patient_keys
from mta.evaluation.bootstrap import RESAMPLES, Method, paired_difference
from mta.evaluation.checks import labelled, require_two_patients
from mta.evaluation.intervals import Interval
from mta.evaluation.scores import auc
from mta.evaluation.table import clean

_IDENTITY = ["row", "patient", "slide", "centre", "label"]
_SHOWN = 5


@dataclass(frozen=True)
class Comparison:
    """AUCs of two models on the same rows, and a minus b with its 95 % interval over patients."""

    auc_a: float
    auc_b: float
    difference: float
    interval: Interval
    rows: int
    patients: int


def compare_models(
    a: pd.DataFrame,
    b: pd.DataFrame,
    role: str,
    method: Method = "t",
    n: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """The tumor AUC of predictions `a` minus that of `b` on their rows of `role`, in any order.

    `method`, `n` and `seed` as in `paired_difference`; the default held the truth most often (`docs/statistics.md`).
    Raises `InputError` when the rows differ, with how many and which; and for no row of the role, predictions that are
    not finite, one class or one patient only.
    """
    a, b = same_rows(*(clean(table)[table["role"] == role] for table in (a, b)))
    if not len(a):
        raise InputError(f"no row has the role {role!r}; roles are {', '.join(ROLES)}")
    labels, clusters = a["label"].to_numpy(), patient_keys(a)
    require_two_patients(clusters[labels >= 0])
    for table in (a, b):
        labelled(labels, table["logit"])
    difference, low, high = paired_difference(labels, a["logit"], b["logit"], clusters, n, seed, method)
    known = labels >= 0
    return Comparison(
        auc(labels, a["logit"]),
        auc(labels, b["logit"]),
        difference,
        (low, high),
        rows=int(known.sum()),
        patients=len(np.unique(clusters[known])),
    )


def same_rows(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables in the order of their row numbers.

    Raises `InputError` when a row of one is missing in the other, or is of another patient, slide, centre or label, or
    is there twice.
    """
    for table in (a, b):
        if twice := int(table["row"].duplicated().sum()):
            raise InputError(
                f"{twice} of {len(table)} test rows are there more than once; give each row one prediction"
            )
    keys_a, keys_b = (pd.MultiIndex.from_frame(table[_IDENTITY]) for table in (a, b))
    apart = keys_a.symmetric_difference(keys_b).get_level_values("row").unique()
    if len(apart):
        which = ", ".join(str(row) for row in apart[:_SHOWN]) + (", …" if len(apart) > _SHOWN else "")
        raise InputError(
            f"{len(apart)} test rows differ (rows {which}; {len(a)} against {len(b)} in all); evaluate both models on "
            "one store with one split"
        )
    return a.sort_values("row", ignore_index=True), b.sort_values("row", ignore_index=True)


def same_roles(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`same_rows`, which must also have the same roles, or `InputError`."""
    a, b = same_rows(a, b)
    if len(apart := a.index[a["role"].to_numpy() != b["role"].to_numpy()]):
        first = a.loc[apart[0], "row"]
        raise InputError(f"{len(apart)} test rows have another role there (row {first}); give both models one split")
    return a, b
