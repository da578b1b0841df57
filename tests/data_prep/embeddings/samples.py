"""Files of features as TRIDENT and CLAM write them, and tables of slides."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

WIDTH = 8


def corners(count, side=512, across=4):
    """The corners (n, 2) of a grid, as (x, y)."""
    number = np.arange(count)
    return np.stack([number % across, number // across], axis=1) * side


def numbers(count, width=WIDTH, seed=0):
    return np.random.default_rng(seed).normal(size=(count, width))


def write(path, assets, attributes=None):
    """Datasets in chunks of one row that can grow, as both tools write them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in assets.items():
            dataset = file.create_dataset(
                name, data=values, maxshape=(None, *values.shape[1:]), chunks=(1, *values.shape[1:])
            )
            dataset.attrs.update((attributes or {}).get(name, {}))
    return path


def trident(path, features, places=None, encoder="uni_v1", **facts):
    """float16 features with all that TRIDENT says of 256-pixel patches at 20x of a 40x slide."""
    places = corners(len(features)) if places is None else places
    about = {
        "patch_size": 256,
        "patch_size_level0": 512,
        "level0_magnification": 40,
        "target_magnification": 20,
        "overlap": 0,
        "name": path.stem,
        "savetodir": "jobs",
        **facts,
    }
    of_features = {"name": path.stem, "savetodir": "jobs", "encoder": encoder}
    assets = {"features": np.asarray(features, np.float16), "coords": np.asarray(places, np.int64)}
    return write(path, assets, {"coords": about, "features": of_features})


def clam(path, features, places=None):
    """float32 features and int32 corners, and not a word beside them."""
    places = corners(len(features)) if places is None else places
    return write(path, {"features": np.asarray(features, np.float32), "coords": np.asarray(places, np.int32)})


def table(path: Path, lines: list[dict[str, object]]) -> Path:
    pd.DataFrame(lines).to_csv(path, index=False)
    return path
