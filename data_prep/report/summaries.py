"""The numbers of the page that come from the row table and the concepts."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from scipy.stats.contingency import association

from data_prep.splits.summary import CLASSES

QUANTILES = {"5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95}


def class_names(rows: pd.DataFrame) -> pd.Series:
    """normal, tumor or unlabelled, for each row."""
    return rows["label"].map(CLASSES)


def centre_names(rows: pd.DataFrame) -> pd.Series:
    """The centre of each row, "unknown" where there is none."""
    return rows["centre"].where(rows["centre"] != "", "unknown")


def class_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Patches by centre (lines) and class (columns, only those that occur)."""
    counts = pd.crosstab(centre_names(rows), class_names(rows))
    return counts[[name for name in CLASSES.values() if name in counts]]


def concept_table(values: pd.Series, rows: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of one concept (n,) by `centre` and `class`, with the patches `n` and how many are `absent`."""
    keys = [centre_names(rows).rename("centre"), class_names(rows).rename("class")]
    lines = []
    for (centre, kind), group in values.groupby(keys):
        known = group[np.isfinite(group)]
        points = np.quantile(known, list(QUANTILES.values())) if len(known) else np.full(len(QUANTILES), np.nan)
        counts = {"n": len(group), "absent": len(group) - len(known)}
        lines.append({"centre": centre, "class": kind} | counts | dict(zip(QUANTILES, map(float, points), strict=True)))
    return pd.DataFrame(lines)


def centre_and_class(rows: pd.DataFrame) -> tuple[float, float]:
    """How far the centre tells the class of labelled rows: Cramér's V, and the AUC of its share of tumor.

    The share is that of these rows themselves, so that 1 means that the centre alone gives the class away. NaN where
    there are not two centres and two classes.
    """
    known = rows[(rows["label"] >= 0) & (rows["centre"] != "")]
    if known["centre"].nunique() < 2 or known["label"].nunique() < 2:
        return float("nan"), float("nan")
    counts = pd.crosstab(known["centre"], known["label"]).to_numpy()
    share = known.groupby("centre")["label"].transform("mean")
    tumor = known["label"].to_numpy() == 1
    rank, positive = rankdata(share)[tumor].sum(), int(tumor.sum())
    area = (rank - positive * (positive + 1) / 2) / (positive * (len(known) - positive))
    return float(association(counts, method="cramer")), float(area)
