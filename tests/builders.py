"""Tiny patch stores and training settings that several tests share."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.store import make_rows, write_store

SIDE = 32
# role -> (patients, centres): every centre is in every role, as every class is.
ROLES = {"train": 4, "validation": 2, "internal_test": 2}
TINY = {
    "backbone": "SmallCNN",
    "weights": "none",
    "trainable": "all",
    "dense": (16,),
    "dropout": 0.3,
    "epochs": (1, 1),
    "batch_size": 8,
    "learning_rate": 1e-4,
}


def tiny_rows(patches: int = 6) -> pd.DataFrame:
    """Eight patients of two centres with `patches` patches each, half of them tumor, and a role column."""
    roles = [role for role, patients in ROLES.items() for _ in range(patients)]
    patient = np.repeat(np.arange(len(roles)), patches)
    number = np.tile(np.arange(patches), len(roles))
    values = {
        "source": "tiny",
        "entry": [f"p{p}/{n}.png" for p, n in zip(patient, number, strict=True)],
        "patient": [f"p{p}" for p in patient],
        "slide": [f"s{p}" for p in patient],
        "centre": [str(p % 2) for p in patient],
        "label": number % 2,
        "role": np.repeat(roles, patches),
    }
    return make_rows(len(patient), values)


def tiny_pixels(rows: pd.DataFrame, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Pink noise (n, side, side, 3) uint8, darker where the label is tumor, tinted by centre."""
    generator = np.random.default_rng(seed)
    base = np.array([200, 150, 190]) + generator.integers(-40, 40, (len(rows), side, side, 3))
    dark = np.where(rows["label"] == 1, -50, 0)[:, None, None, None]
    tint = np.where(rows["centre"] == "1", 15, 0)[:, None, None, None] * np.array([1, 0, -1])
    return np.clip(base + dark + tint, 0, 255).astype("uint8")


def tiny_concepts(rows: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """`ncount` and `narea`, higher for tumor, with units."""
    generator = np.random.default_rng(seed)
    tumor = (rows["label"] == 1).to_numpy()
    count = 20 + 10 * tumor + generator.normal(0, 2, len(rows))
    area = 300 + 100 * tumor + generator.normal(0, 30, len(rows))
    table = pd.DataFrame({"ncount": count, "narea": area})
    table.attrs["units"] = {"ncount": "nuclei", "narea": "px"}
    return table


def tiny_store(path: Path, rows: pd.DataFrame | None = None, **changed: Any) -> Path:
    """Write a store to `path`; `changed` may give `pixels`, `concepts`, or whole columns of the row table."""
    rows = tiny_rows() if rows is None else rows.copy()
    pixels, concepts = changed.pop("pixels", None), changed.pop("concepts", None)
    rows = rows.assign(**changed)
    write_store(
        path,
        tiny_pixels(rows) if pixels is None else pixels,
        rows,
        tiny_concepts(rows) if concepts is None else concepts,
    )
    return path


def tiny_flags(**settings: Any) -> list[str]:
    """`TINY` (changed by `settings`) as command-line flags."""
    flags = []
    for name, value in {**TINY, **settings}.items():
        values = value if isinstance(value, tuple) else (value,)
        if value is True:
            values = ()
        flags += [f"--{name.replace('_', '-')}", *map(str, values)]
    return flags


def as_list(outputs: Any) -> list[Any]:
    """What a model with one or several outputs predicts, as a list."""
    return outputs if isinstance(outputs, list) else [outputs]
