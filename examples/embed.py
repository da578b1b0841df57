"""A patch store as embeddings of a frozen network, so that a study on it trains heads alone, in seconds a run.

Writes FOLDER/embeddings.csv, the table that `mta.train` takes in place of a store, and for each patient an HDF5 file in
the layout of CLAM and a table of labels and concepts. With --varied N also FOLDER/varied.csv: the same patches, and
after them N copies of each training patch with hematoxylin, eosin and DAB varied, which is stain augmentation computed
ahead. What is tested is the same in both.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pandas as pd

from data_prep.console import progress, run
from data_prep.files import make_folder, replacing
from data_prep.stain import jitter_hed
from data_prep.store import align_concepts, open_concepts, open_patches
from mta.backbones import build_trunk
from mta.backend import start_quietly

BATCH = 256


@dataclass(frozen=True)
class Encoder:
    """The pooled output of a layer of a pretrained network: `network` (n, h, w, 3) → (n, width)."""

    network: Any

    def __call__(self, patches: np.ndarray) -> np.ndarray:
        """Embeddings (n, width) of RGB `uint8` patches."""
        parts = np.array_split(patches, max(1, -(-len(patches) // BATCH)))
        return np.concatenate([np.asarray(self.network.predict_on_batch(part)) for part in parts])


def embed(
    store: Path,
    out: Path,
    concepts: Path | None = None,
    names: tuple[str, ...] = ("ncount", "narea", "full_contrast"),
    backbone: str = "MobileNetV2",
    weights: str = "imagenet",
    cut: str = "block_3_expand_relu",
    varied: int = 0,
    sigma: float = 0.2,
    seed: int = 0,
) -> None:
    """Embed every patch of `store`.

    Args:
        store: patch store.
        out: folder for what is made.
        concepts: concept table; default: the concepts of the store.
        names: concepts to keep.
        backbone: network of keras.applications.
        weights: imagenet, none, or a weights file of the network without its top.
        cut: layer whose output is averaged over the patch.
        varied: copies of each training patch with other stains.
        sigma: strength of that variation, as --stain-sigma of mta.train.
        seed: of that variation.
    """
    start_quietly()
    make_folder(out)
    rng = np.random.default_rng(seed)
    with open_patches(store) as patches:
        table = named(align_concepts(open_concepts(concepts or store), patches.rows), names)
        encode = encoder(patches.size, backbone, weights, cut)
        rows = patches.rows.assign(**table)
        plain, copies = [], []
        for patient, group in progress(list(rows.groupby("patient", sort=False)), "embed"):
            pixels = np.stack([patches[row] for row in group.index])
            plain.append(write(out, f"{patient}", group, encode(pixels), list(table)))
            if group["role"].iloc[0] == "train":
                for number in range(varied):
                    features = encode(jitter_hed(pixels, sigma, rng))
                    copies.append(write(out, f"{patient}_{number}", group, features, list(table)))
    write_csv(out / "embeddings.csv", pd.DataFrame(plain))
    if varied:
        write_csv(out / "varied.csv", pd.DataFrame(plain + copies))


def named(table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The concepts `names` under their names with units."""
    units = table.attrs.get("units", {})
    return table[list(names)].rename(columns={name: f"{name} [{units.get(name) or '1'}]" for name in names})


def encoder(size: tuple[int, int], backbone: str, weights: str, cut: str) -> Encoder:
    """The network for patches of `size`."""
    image = keras.Input((*size, 3), name="image")
    trunk = build_trunk(backbone, None if weights == "none" else weights, image, cut)
    return Encoder(keras.Model(image, keras.layers.GlobalAveragePooling2D()(trunk.output)))


def write(out: Path, name: str, rows: pd.DataFrame, features: np.ndarray, concepts: list[str]) -> dict[str, Any]:
    """Write the files of one patient's patches; returns the line of the table that names them."""
    corners = np.stack([np.arange(len(rows)), np.zeros(len(rows), int)], axis=1)
    with replacing(out / f"{name}.h5") as temporary, h5py.File(temporary, "w") as file:
        file["features"], file["coords"] = features.astype("float32"), corners
    said = rows[["label", *concepts]].assign(label=rows["label"].where(rows["label"] >= 0, ""))
    write_csv(out / f"{name}.csv", said.assign(x=corners[:, 0], y=0))
    one = rows.iloc[0]
    kept = {key: one[key] for key in ("patient", "centre", "role", "mpp")}
    return {"features": f"{name}.h5", **kept, "patches": f"{name}.csv"}


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write `table` whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    run(embed, "python examples/embed.py")
