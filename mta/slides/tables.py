"""Predictions of the patches of a slide as CSV and HDF5."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.files import replacing


def write_csv(path: Path, places: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
    """Write one line a patch: `x, y` of `places` (n, 2), then `columns` (n,) in their order."""
    table = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], **columns})
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def write_hdf5(
    path: Path,
    places: np.ndarray,
    columns: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    attributes: Mapping[str, float],
) -> None:
    """Write `coords` (n, 2) as (x, y), and each of `columns` (n,) as a dataset with its unit if it has one.

    `attributes`: numbers that hold for all patches, as their size.
    """
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(attributes)
        file["coords"] = places
        for name, values in columns.items():
            file[name] = values if values.dtype.kind == "f" else values.astype(h5py.string_dtype())
            if name in units:
                file[name].attrs["units"] = units[name]
