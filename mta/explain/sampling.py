"""Which patches are looked at."""

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import patient_keys
from mta.data.dataset import Dataset
from mta.explain.opening import Subject

TESTED = ("internal_test", "external_test")


def tested_rows(data: Dataset) -> np.ndarray:
    """Positions of the test rows, or of the validation rows where there are none.

    Raises:
        InputError: when there are neither.
    """
    rows = data.of(*TESTED)
    rows = rows if len(rows) else data.of("validation")
    if not len(rows):
        raise InputError(f"{data.name}: the run's split has no test and no validation rows; there is nothing to show")
    return rows


def spread(data: Dataset, rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most `count` of `rows`, ascending, in turn from every slide (patient where unnamed) and class.

    Within a slide and class they are drawn at random by `seed`.
    """
    order = np.random.default_rng(seed).permutation(rows)
    table = data.rows.iloc[order][["patient", "slide", "label"]].astype(str)
    turn = table.groupby(list(table), sort=False).cumcount()
    return np.sort(order[np.argsort(turn.to_numpy(), kind="stable")][:count])


def worst_errors(labels: np.ndarray, logits: np.ndarray, count: int) -> np.ndarray:
    """Positions of at most `count` labelled rows on the wrong side of logit 0, the farthest from it first.

    `labels` (n,) in {0, 1, -1}, `logits` (n,).
    """
    wrongness = np.where(labels == 1, -logits, np.where(labels == 0, logits, -np.inf))
    worst = np.argsort(-wrongness, kind="stable")
    return worst[wrongness[worst] > 0][:count]


def rgb_patches(subject: Subject, rows: np.ndarray) -> np.ndarray:
    """The patches of `rows` (n, h, w, 3) uint8 as RGB, whatever order of channels the run was trained on."""
    images = np.asarray(subject.data.patches.take(rows))
    if subject.trained.stored_channels:
        images = np.where(subject.data.rows["stored_bgr"].to_numpy()[rows, None, None, None], images[..., ::-1], images)
    return images


def row_facts(data: Dataset, rows: np.ndarray) -> pd.DataFrame:
    """`row, patient, label` of `rows`; `patient` as `data_prep.splits.patient_keys` has it."""
    return pd.DataFrame({"row": rows, "patient": patient_keys(data.rows)[rows], "label": data.labels[rows]})
