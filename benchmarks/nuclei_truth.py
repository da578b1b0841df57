"""The real ground truth that `benchmarks/nuclei.py` measures on: three data sets, each cut once into halves.

A half is decided by a hash of the file name, so it depends on nothing else; every tile of an image is in its half.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

TILE = 250
PANNUKE_BACKGROUND = 5
# Micrometres a pixel. MoNuSeg and PanNuke are 40x; the magnifications in DSB 2018 are mixed and unknown, so it gets
# one value for all, at which the median nucleus has the area that it has in the other two.
MPP = {"dsb2018": 0.35, "monuseg": 0.25, "pannuke": 0.25}


@dataclass(frozen=True)
class Case:
    """An image (h, w, 3) RGB `uint8` with its true nuclei: instances (h, w), and the count to compare with."""

    name: str
    image: np.ndarray
    truth: np.ndarray
    count: int


def half_of(names: list[str], half: str) -> list[str]:
    """The tuning or the reporting half of `names`: those whose hashes are below or above the middle one."""
    ranked = sorted(names, key=lambda name: sha256(name.encode()).hexdigest())
    middle = (len(ranked) + 1) // 2
    return sorted(ranked[:middle] if half == "tuning" else ranked[middle:])


def cases(folder: Path, data_set: str, half: str) -> Iterator[Case]:
    """The cases of one half of a data set in `folder`."""
    yield from {"dsb2018": _dsb2018, "monuseg": _monuseg, "pannuke": _pannuke}[data_set](folder, half)


def _rgb(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _dsb2018(folder: Path, half: str) -> Iterator[Case]:
    root = folder / "nuclei" / "dsb2018"
    for name in half_of([path.stem for path in (root / "images").glob("*.png")], half):
        truth = cv2.imread(str(root / "instances" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        yield Case(name, _rgb(root / "images" / f"{name}.png"), truth, len(np.unique(truth)) - 1)


def _monuseg(folder: Path, half: str) -> Iterator[Case]:
    """Tiles of 250 px; touching nuclei merge in the binary masks, so their components are the truth."""
    root = folder / "nuclei" / "monuseg"
    for name in half_of([path.stem for path in (root / "images").iterdir()], half):
        image = _rgb(next((root / "images").glob(f"{name}.*")))
        mask = cv2.imread(str(next((root / "masks").glob(f"{name}.*"))), cv2.IMREAD_GRAYSCALE) > 127
        for y in range(0, image.shape[0], TILE):
            for x in range(0, image.shape[1], TILE):
                truth = components(mask[y : y + TILE, x : x + TILE])
                yield Case(f"{name} {y} {x}", image[y : y + TILE, x : x + TILE].copy(), truth, int(truth.max()))


def components(mask: np.ndarray, smallest: int = 20) -> np.ndarray:
    """4-connected components of at least `smallest` pixels, numbered from 1."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] >= smallest
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0)[labels]


def _pannuke(folder: Path, half: str) -> Iterator[Case]:
    """The count is that of `labels.csv`; instances are the components of each class, which agree with it."""
    table = pd.read_csv(folder / "pannuke" / "labels.csv", index_col="name")["n_components"]
    for name in half_of(list(table.index), half):
        classes = cv2.imread(str(folder / "pannuke" / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        image = _rgb(folder / "pannuke" / "images" / f"{name}.jpg")
        yield Case(name, image, _instances(classes), int(table[name]))


def _instances(classes: np.ndarray) -> np.ndarray:
    labels = np.zeros(classes.shape, np.int64)
    for kind in np.unique(classes[classes != PANNUKE_BACKGROUND]):
        own = components(classes == kind, 1)
        labels = np.where(own > 0, own + labels.max(), labels)
    return labels
