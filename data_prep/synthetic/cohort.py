"""Who the patches come from: patients, slides, centres, roles and classes, before a pixel is drawn."""

import numpy as np
import pandas as pd

from data_prep.store import complete_rows
from data_prep.synthetic.spec import CENTRES, SyntheticSpec

EXTERNAL = CENTRES - 1
TUMOR_SHARE = np.array([0.05, 0.95, 0.1, 0.9])
"""Share of tumor patches in the training rows of centres 0..3 at shortcut 1."""
SLIDES = 2  # a patient
FIELD = 50_000  # width of a slide in level-0 pixels; only the row table knows of it


def plan_rows(spec: SyntheticSpec) -> pd.DataFrame:
    """The row table of the data set `spec`: one row a patch, in the order of patients, columns as in every store."""
    rng = np.random.default_rng([spec.seed, 0])
    people = _patients(spec.patients)
    counts = np.diff(np.linspace(0, spec.patches, spec.patients + 1).round().astype(int))
    rows = people.loc[people.index.repeat(counts)].reset_index(drop=True)
    rows["label"] = _labels(rows, spec.shortcut, rng)
    number = rows.groupby("patient").cumcount()
    rows["slide"] = rows["entry"] = rows["patient"] + "_node_" + (number % SLIDES).astype(str)
    rows["x"], rows["y"] = rng.integers(0, FIELD, (2, len(rows)))
    return complete_rows(rows.assign(source="synthetic", patch_no=number // SLIDES, mpp=spec.mpp))


def _patients(total: int) -> pd.DataFrame:
    """Patient, centre and role of each person; a patient has one of each."""
    centres = np.sort(np.arange(total) % CENTRES)
    people = pd.DataFrame({"patient": [f"patient_{i:03d}" for i in range(total)], "centre": centres.astype(str)})
    people["role"] = np.concatenate([_roles(int((centres == c).sum()), c) for c in range(CENTRES)])
    return people


def _roles(patients: int, centre: int) -> np.ndarray:
    """Of the patients of a centre that is not external, an eighth validates, a quarter tests, the rest trains."""
    if centre == EXTERNAL:
        return np.repeat(["external_test"], patients)
    validation, test = max(1, round(patients / 8)), max(1, round(patients / 4))
    return np.repeat(["train", "validation", "internal_test"], [patients - validation - test, validation, test])


def _labels(rows: pd.DataFrame, shortcut: float, rng: np.random.Generator) -> np.ndarray:
    """0 or 1 for each row: the share of tumor is exact, up to rounding, in every centre and role."""
    labels = np.zeros(len(rows), dtype=np.int64)
    for (centre, role), group in rows.groupby(["centre", "role"]).indices.items():
        labels[group] = _exact_labels(len(group), _share(int(centre), role, shortcut), rng)
    return labels


def _share(centre: int, role: str, shortcut: float) -> float:
    biased = role in ("train", "validation")
    return 0.5 + shortcut * (TUMOR_SHARE[centre] - 0.5) if biased else 0.5


def _exact_labels(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation((np.arange(count) < round(share * count)).astype(np.int64))
