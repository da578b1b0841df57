"""Warnings of what makes predictions and measurements of a run worth less than they look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data_prep.console import warn

if TYPE_CHECKING:
    from data_prep.stain import Normalizer
    from mta.data.dataset import Dataset
    from mta.predictor import Predictor
    from mta.trained import Trained

FEWEST_PATIENTS = 5
LARGEST_SHIFT = 0.10
"""Difference of resolutions, relative to that of training, that is let pass without a word."""


def median_mpp(rows: pd.DataFrame) -> float | None:
    """Median micrometres a pixel of the rows that say theirs; None where none does."""
    known = rows["mpp"].dropna() if "mpp" in rows else pd.Series(dtype=float)
    return None if known.empty else float(np.median(known))


def warn_of_resolution(predictor: Predictor, patches: Any, rows: np.ndarray) -> None:
    """Warn where the `rows` of `patches` are more than 10 % finer or coarser than the patches of training."""
    training, found = predictor.mpp, median_mpp(patches.rows.iloc[rows])
    if training and found and abs(found / training - 1) > LARGEST_SHIFT:
        warn(
            f"{_files(patches)}: {found:.4g} um a pixel, the run was trained at {training:.4g}; extract or resample "
            f"the patches at {training:.4g}, or the outputs mean little"
        )


def warn_of_fit(predictor: Predictor, patches: Any) -> None:
    """Warn where a run of slides fitted as a whole normalizes `patches` one by one."""
    normalizer: Normalizer | None = predictor.normalizer
    if normalizer is None or "stain" in patches.attributes or not predictor.fitted_by_slide:
        return
    store = patches.files[0] if len(patches.files) == 1 and Path(patches.files[0]).is_file() else "STORE.h5"
    warn(
        f"{_files(patches)}: normalized patch by patch, the run was trained on stains fitted by slide; to do as it "
        f"did: python -m data_prep normalize {store} --out NORMALIZED.h5 --method {normalizer.method} "
        f"--reference {predictor.stain_file} --fit slide"
    )


def warn_of_shared_patients(trained: Trained, dataset: Dataset, rows: np.ndarray) -> int:
    """Warn of patients among the `rows` of `dataset` that have the name of a training patient; how many."""
    split = pd.read_csv(trained.folder.file("split.csv"), dtype=str, keep_default_na=False)
    tested = dataset.rows["patient"].to_numpy(str)[rows]
    shared = sorted((set(tested) & set(split.loc[split["role"] == "train", "patient"])) - {""})
    if shared:
        warn(
            f"{dataset.name}: {len(shared)} of its tested patients have the name of a training patient, e.g. "
            f"{', '.join(shared[:3])}; if they are the same, the numbers are too good"
        )
    return len(shared)


def warn_of_few_patients(metrics: dict[str, Any]) -> None:
    """Warn of roles in `metrics` whose intervals are over fewer than 5 patients."""
    counts = {role: values["tumor"]["n_patients"] for role, values in metrics.items()}
    few = [f"{role}: {count}" for role, count in counts.items() if count < FEWEST_PATIENTS]
    if few:
        warn(f"intervals over fewer than {FEWEST_PATIENTS} patients say little ({', '.join(few)})")


def fitted_by_slide(text: str | None) -> bool:
    """Whether the JSON `text` of a store's attribute `stain`, or of a stain file, says `"fit": "slide"`."""
    return text is not None and json.loads(text).get("fit") == "slide"


def _files(patches: Any) -> str:
    return ", ".join(map(str, patches.files))
