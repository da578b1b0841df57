"""A tiny cohort of embeddings in both styles of files, and settings that learn from it."""

from pathlib import Path

import numpy as np
import pandas as pd

from tests.builders import ROLES, TINY
from tests.data_prep.embeddings.samples import clam, corners, table, trident

WIDTH, PATCHES = 12, 12
SETTINGS = {name: value for name, value in TINY.items() if name not in ("backbone", "weights", "trainable")}


def slide(patient: int, seed: int = 0, scale: float = 1.0, patches: int = PATCHES) -> tuple[np.ndarray, pd.DataFrame]:
    """Features (n, width) of a slide, half of its patches tumor, and the table of these patches with concepts.

    The first number tells the class, the second the centre, the third the concept `ncount`; all are far from zero, and
    `scale` times as large.
    """
    generator = np.random.default_rng((seed, patient))
    label = np.arange(patches) % 2
    count = 20 + 10 * label + generator.normal(0, 2, patches)
    features = generator.normal(0, 0.3, (patches, WIDTH)) + 3
    features[:, 0] += label
    features[:, 1] += patient % 2
    features[:, 2] += (count - 25) / 10
    x, y = corners(patches).T
    lines = pd.DataFrame({"x": x, "y": y, "label": label, "ncount [nuclei]": count, "narea [px]": 300 + 40 * label + y})
    return features * scale, lines


def cohort(folder: Path, seed: int = 0, scale: float = 1.0, roles: bool = True, patches: int = PATCHES) -> Path:
    """`slides.csv` in `folder`: eight slides of eight patients of two centres, every class and centre in every role."""
    lines = []
    for patient, role in enumerate(role for role, patients in ROLES.items() for _ in range(patients)):
        features, labelled = slide(patient, seed, scale, patches)
        write = trident if patient % 3 else clam
        write(folder / "features" / f"s{patient}.h5", features)
        labelled.to_csv(folder / f"s{patient}.csv", index=False)
        cells = {"features": f"features/s{patient}.h5", "patient": f"p{patient}", "centre": patient % 2}
        lines.append({**cells, "role": role if roles else "", "patches": f"s{patient}.csv"})
    return table(folder / "slides.csv", lines)
