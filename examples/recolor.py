"""PanNuke patches stained like five centres of Camelyon17, so that in training the staining goes with the class.

Each patch is there three times, with the mean and deviation in LAB of a random thumbnail of its centre (Reinhard):
for training in one of the centres 0 to 3, chosen by its class (P(tumor | centre) is about .05, .95, .2, .8 before the
classes' own shares); for the internal test in one of them at random; for the external test in centre 4. Five split
tables take turns: a fifth of the patches is tested, in their second and third stain, the rest trains in the first.
`plain.h5` has the same rows as `recolored.h5` and the patches as they were: what could be reached without the shift.

Writes OUT/recolored.h5, OUT/plain.h5, OUT/fold-0.csv to fold-4.csv and OUT/recolored.png (first patches, one row a
stain). PANNUKE holds `labels.csv` (`name,label,n_components,mean_area_px`) and `images/NAME.jpg`; CENTRES
`centres.csv` (`file,centre,note`) and `centres/FILE`. Studies on it: studies/pannuke.yaml.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from data_prep.console import run
from data_prep.files import make_folder, replacing
from data_prep.splits import write_split
from data_prep.stain import Reinhard
from data_prep.store import make_rows, write_store

TUMOR_SHARE = np.array([0.05, 0.95, 0.2, 0.8])
OUTSIDE = 4  # the centre of the external test
FOLDS = 5
PLAIN_SIZE, PLAIN_MPP = 256, 0.25
VALIDATION = 8  # one patch in so many of those that train
STAINS = ("training", "inside", "outside")
SHOWN = 8


def recolor(pannuke: Path, centres: Path, out: Path, size: int = 128, seed: int = 0) -> None:
    """Make both stores and the split tables.

    Args:
        pannuke: folder of the patches.
        centres: folder of the thumbnails.
        out: folder for what is made.
        size: edge of a patch in pixels, 128 at 0.5 um/px.
        seed: of centres, thumbnails and folds.
    """
    make_folder(out)
    rng = np.random.default_rng(seed)
    labels = pd.read_csv(pannuke / "labels.csv")
    labels = labels[labels["label"] != "unknown"].reset_index(drop=True)
    tumor = (labels["label"] == "tumour").to_numpy()
    plain = np.array([patch(pannuke / "images" / f"{name}.jpg", size) for name in labels["name"]])
    references = fitted(centres)
    stained = {"training": by_class(tumor, rng), "inside": rng.integers(0, OUTSIDE, len(labels))}
    stained["outside"] = np.full(len(labels), OUTSIDE)
    pixels = [
        np.array([restained(image, references[c], rng) for image, c in zip(plain, where, strict=True)])
        for where in stained.values()
    ]
    rows, concepts = described(labels, tumor, stained, PLAIN_MPP * PLAIN_SIZE / size)
    write_store(out / "recolored.h5", np.concatenate(pixels), rows, concepts)
    write_store(out / "plain.h5", np.concatenate([plain] * len(STAINS)), rows, concepts)
    for number, roles in enumerate(folds(tumor, rng)):
        write_split(out / f"fold-{number}.csv", rows, roles)
    with replacing(out / "recolored.png") as temporary:
        Image.fromarray(np.vstack([np.hstack(list(line[:SHOWN])) for line in (plain, *pixels)])).save(temporary)
    print(pd.crosstab(stained["training"], labels["label"], rownames=["centre"], colnames=["training"]))


def patch(path: Path, size: int) -> np.ndarray:
    """A patch (size, size, 3) in RGB."""
    image = np.asarray(Image.open(path).convert("RGB"))
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def fitted(centres: Path) -> dict[int, list[Reinhard]]:
    """The stain of each usable thumbnail, a list for each centre."""
    table = pd.read_csv(centres / "centres.csv", dtype={"centre": int}).fillna({"note": ""})
    table = table[table["note"] == ""]
    images = {file: np.asarray(Image.open(centres / "centres" / file).convert("RGB")) for file in table["file"]}
    return {c: [Reinhard().fit(images[file]) for file in part["file"]] for c, part in table.groupby("centre")}


def by_class(tumor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A centre of 0 to 3 for each patch, by the shares of tumor in `TUMOR_SHARE`."""
    chance = np.where(tumor[:, None], TUMOR_SHARE, 1 - TUMOR_SHARE)
    return np.array([rng.choice(OUTSIDE, p=one / one.sum()) for one in chance])


def restained(image: np.ndarray, references: list[Reinhard], rng: np.random.Generator) -> np.ndarray:
    """`image` in the stain of one of `references`, by chance."""
    return references[rng.integers(len(references))].transform(image)


def described(
    labels: pd.DataFrame, tumor: np.ndarray, stained: dict[str, np.ndarray], mpp: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Row table and concepts: the patches in their first stain, then all in the second, then in the third."""
    names = np.tile(labels["name"].to_numpy(str), len(stained))
    values = {
        "source": "pannuke",
        "entry": [f"{name}/{stain}" for stain in stained for name in labels["name"]],
        "patient": names,
        "centre": np.concatenate(list(stained.values())).astype(str),
        "label": np.tile(tumor.astype(int), len(stained)),
        "mpp": mpp,
    }
    area = labels["mean_area_px"].where(labels["n_components"] > 0)
    concepts = pd.DataFrame({"ncount": labels["n_components"].astype(float), "narea_um2": area / 16})
    concepts = pd.concat([concepts] * len(stained), ignore_index=True)
    concepts.attrs["units"] = {"ncount": "nuclei", "narea_um2": "um2"}
    return make_rows(len(names), values), concepts


def folds(tumor: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The roles of all rows for each fold, stratified by class."""
    fold = np.empty(len(tumor), dtype=int)
    for value in (False, True):
        members = rng.permutation(np.flatnonzero(tumor == value))
        fold[members] = np.arange(len(members)) % FOLDS
    order = rng.permutation(len(tumor))
    for number in range(FOLDS):
        tested = fold == number
        rest = order[~tested[order]]
        training = np.where(tested, "", "train").astype(object)
        training[rest[::VALIDATION]] = "validation"
        inside, outside = (np.where(tested, role, "") for role in ("internal_test", "external_test"))
        yield np.concatenate([training, inside, outside]).astype(str)


if __name__ == "__main__":
    run(recolor, "python examples/recolor.py")
