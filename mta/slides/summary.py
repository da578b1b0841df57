"""A slide in a few numbers, and a line of a table for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.files import replacing
from mta.slides.grid import Grid

DESCRIPTION = "describes the patches of this slide; no validated slide-level score; research only"
TOP = 0.1
"""Share of the patches whose mean probability is the top decile."""
_NUMBERS = (
    *("patches", "tissue_mm2", "predicted_mm2", "probability_mean", "probability_max", "probability_top_decile"),
    *("share_above", "above_mm2", "regions"),
)


def describe(
    grid: Grid, probability: np.ndarray, maps: np.ndarray, concepts: Mapping[str, np.ndarray], threshold: float
) -> dict[str, float | int | None]:
    """The numbers of a slide from the `probability` (n,) and `concepts` (n,) of its patches, and its heatmaps.

    Areas are those of cells: of all that have a value, and of those whose probability is at least `threshold`.
    """
    cell = (grid.cell_mpp / 1000) ** 2
    with np.errstate(invalid="ignore"):
        above = int((maps[0] >= threshold).sum())
    numbers: dict[str, float | int | None] = {
        "patches": len(probability),
        "tissue_mm2": grid.tissue_mm2,
        "predicted_mm2": float(np.isfinite(maps[0]).sum() * cell),
        "probability_mean": _finite(probability.mean()),
        "probability_max": _finite(probability.max()),
        "probability_top_decile": _finite(np.sort(probability)[-max(1, round(len(probability) * TOP)) :].mean()),
        "share_above": float((probability >= threshold).mean()),
        "above_mm2": float(above * cell),
    }
    return numbers | {f"{name}_mean": _finite(values.mean()) for name, values in concepts.items()}


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None


def write_table(path: Path, summaries: Sequence[Mapping[str, Any]], concepts: Sequence[str]) -> pd.DataFrame:
    """Write one line for each of `summaries` as CSV, and return the table; a failed slide has an error, no numbers."""
    columns = ["slide", "status", *_NUMBERS, *(f"{name}_mean" for name in concepts), "error"]
    table = pd.DataFrame([{name: summary.get(name) for name in columns} for summary in summaries], columns=columns)
    table["patches"], table["regions"] = table["patches"].astype("Int64"), table["regions"].astype("Int64")
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
    return table
