"""Patches as embeddings of a frozen network, in the files that CLAM writes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pandas as pd

from data_prep.console import progress
from data_prep.errors import InputError
from data_prep.files import replacing
from data_prep.splits import patient_keys
from data_prep.stain import jitter_hed
from data_prep.store import Patches
from mta.backbones import build_trunk

BATCH = 256
# What the patches of one file have in common. Files are numbered, as names from a store are no names of files.
SHARED = ("patient", "centre", "role", "mpp")


@dataclass(frozen=True)
class Varied:
    """Copies of each training patch, with hematoxylin, eosin and DAB varied by `sigma` (OD)."""

    copies: int
    sigma: float
    seed: int


@dataclass(frozen=True)
class Encoder:
    """The pooled output of a layer of a frozen network: `network` (n, h, w, 3) → (n, width)."""

    network: Any

    def __call__(self, blocks: Iterable[np.ndarray]) -> np.ndarray:
        """Embeddings (n, width) of RGB `uint8` patches, which come in blocks of a batch."""
        return np.concatenate([np.asarray(self.network.predict_on_batch(block)) for block in blocks])


def chosen(table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The concepts `names`, or all, under their names with units, as tables of embeddings have them."""
    if missing := [name for name in names if name not in table]:
        raise InputError(f"no concept is called {missing[0]!r}; there are {', '.join(table) or 'none'}")
    units = table.attrs.get("units", {})
    kept = table[list(names)] if names else table
    return kept.rename(columns={name: f"{name} [{units.get(name) or '1'}]" for name in kept})


def encoder(size: tuple[int, int], backbone: str, weights: str, cut: str | None, seed: int) -> Encoder:
    """The network for patches of `size`, cut after the layer `cut`; `seed`: of its weights where they are random."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((*size, 3), name="image")
    trunk = build_trunk(backbone, None if weights == "none" else weights, image, cut)
    return Encoder(keras.Model(image, keras.layers.GlobalAveragePooling2D()(trunk.output)))


def write_embeddings(
    patches: Patches, table: pd.DataFrame, encode: Encoder, out: Path, varied: Varied, quiet: bool
) -> None:
    """Write what `mta.embed.embed` says below `out`; `table`: concepts of the rows, under names with units."""
    # Who is one patient is said by what patches share, slides among them, which the files no longer do.
    rows = patches.rows.assign(patient=patient_keys(patches.rows), **table)
    rng = np.random.default_rng(varied.seed)
    groups = [group for _, group in rows.groupby(list(SHARED), sort=False, dropna=False)]
    plain, copies = [], []
    for number, group in enumerate(progress(groups, "embed", len(groups), quiet), 1):
        plain.append(_write(out, f"{number:05d}", group, encode(_blocks(patches, group.index)), list(table)))
        for copy in range(varied.copies if group["role"].iloc[0] == "train" else 0):
            features = encode(jitter_hed(block, varied.sigma, rng) for block in _blocks(patches, group.index))
            copies.append(_write(out, f"{number:05d}_{copy}", group, features, list(table)))
    _write_csv(out / "embeddings.csv", pd.DataFrame(plain))
    if varied.copies:
        _write_csv(out / "varied.csv", pd.DataFrame(plain + copies))


def _blocks(patches: Patches, rows: Sequence[int]) -> Iterator[np.ndarray]:
    """The pixels of `rows`, at most a batch at a time."""
    return (patches.take(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH))


def _write(out: Path, name: str, rows: pd.DataFrame, features: np.ndarray, concepts: list[str]) -> dict[str, Any]:
    """Write the files of patches that share a patient; returns the line of the table that names them."""
    corners = np.stack([np.arange(len(rows)), np.zeros(len(rows), int)], axis=1)
    with replacing(out / f"{name}.h5") as temporary, h5py.File(temporary, "w") as file:
        file["features"], file["coords"] = features.astype("float32"), corners
    said = rows[["label", *concepts]].assign(label=rows["label"].where(rows["label"] >= 0, ""))
    _write_csv(out / f"{name}.csv", said.assign(x=corners[:, 0], y=0))
    one = rows.iloc[0]
    return {"features": f"{name}.h5", **{key: one[key] for key in SHARED}, "patches": f"{name}.csv"}


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write `table` whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
