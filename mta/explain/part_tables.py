"""The facts about parts as tables."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mta.explain.nmf.choosing import Scan
from mta.explain.part_label import label_prediction
from mta.explain.patient_means import patient_mean

EVERY = "all"
"""In the column `part`: of all parts together."""
_NAMES = ["part", "measure", "head", "value", "low", "high", "chance", "patches", "patients"]


def selection_table(scans: Sequence[Scan], chosen: Scan) -> pd.DataFrame:
    """`parts, error, stability, weakest, chance, chosen`, a row a number of parts."""
    rows = [
        [one.count, one.error, one.stability, one.agreement.min(), one.chance, one is chosen] for one in scans
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["parts", "error", "stability", "weakest", "chance", "chosen"])


def parts_table(
    chosen: Scan, found: dict[str, np.ndarray], heads: Sequence[str], labels: np.ndarray, patients: np.ndarray
) -> pd.DataFrame:
    """One fact a row: `part` (from 1, or all), `measure`, `head`, `value, low, high, chance, patches, patients`.

    `found`: from `measure_parts`, of rows with `labels` (n,) and `patients` (n,). Measures: `share` of all weight,
    `agreement` with other starts, `importance` (fall of the head's score when the part is deleted), `gradcam`
    (correlation), `nuclei` and `tumor nuclei` (share of the weight there; chance: of the area), `tumor patches`
    (share of the weight in them; chance: of the patches), and for all parts the AUC of the label.
    """
    rows = [fact for part in range(chosen.count) for fact in _facts(part, chosen, found, heads, labels, patients)]
    known = int((labels >= 0).sum())
    for name, values in label_prediction(found["mean"], found["random"], labels, patients).items():
        rows.append([EVERY, name, "", *values, np.nan, known, len(np.unique(patients[labels >= 0]))])
    return pd.DataFrame(rows, columns=_NAMES)


def _facts(
    part: int,
    chosen: Scan,
    found: dict[str, np.ndarray],
    heads: Sequence[str],
    labels: np.ndarray,
    patients: np.ndarray,
) -> list[list[object]]:
    mean, count = found["mean"], len(labels)
    nothing, people = [np.nan] * 3, len(np.unique(patients))
    facts: list[list[object]] = [
        ["share", "", mean[:, part].sum() / mean.sum(), *nothing, count, people],
        ["agreement", "", chosen.agreement[part], *nothing, count, people],
    ]
    for number, head in enumerate(heads):
        for measure, key in (("importance", "effect"), ("gradcam", "gradcam")):
            values = found[key][:, number, part]
            facts.append([measure, head, *patient_mean(values, patients), np.nan, *_counts(values, patients)])
    for measure, key in (("nuclei", "nuclei"), ("tumor nuclei", "tumor")):
        if key in found:
            values, area = found[key][:, part], found[key][:, -1]
            chance = float(np.nanmean(area)) if np.isfinite(area).any() else np.nan
            facts.append([measure, "", *patient_mean(values, patients), chance, *_counts(values, patients)])
    known = labels >= 0
    if known.any() and mean[known, part].sum():
        share = mean[labels == 1, part].sum() / mean[known, part].sum()
        facts.append(
            ["tumor patches", "", share, np.nan, np.nan, (labels == 1).sum() / known.sum(), known.sum(), people]
        )
    return [[part + 1, *fact] for fact in facts]


def _counts(values: np.ndarray, patients: np.ndarray) -> tuple[int, int]:
    known = np.isfinite(values)
    return int(known.sum()), len(np.unique(patients[known]))
