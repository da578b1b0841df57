"""Concepts: pair moments against scikit-image's matrix, shapes against `regionprops`, and all together, on one core.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/concepts.py [STORE.h5]

STORE.h5 holds patches with masks of nuclei; without it, patches are synthetic (224x224 at 0.25 um/px). Rivals take
turns within each round; printed are medians over the rounds, of the CPU times and of the ratios within a round.
Both sides start from the RGB patch and its label map and end with the same numbers, which are compared first.
"""

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from skimage.color import rgb2gray
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import regionprops
from skimage.util import img_as_ubyte

from data_prep.concepts import measure
from data_prep.store import open_patches
from data_prep.synthetic import SyntheticSpec, synthesize

ROUNDS, PATCHES = 15, 32
PROPERTIES = ("contrast", "correlation")
FULL = tuple(f"full_{name}" for name in PROPERTIES)
NUCLEI = tuple(f"nuclei_{name}" for name in PROPERTIES)
SHAPES = ("narea", "nperimeter", "nsolidity", "neccentricity")
Work = Callable[[np.ndarray, np.ndarray], object]


def matrix_of_patch(image: np.ndarray, labels: np.ndarray) -> list[float]:
    matrix = graycomatrix(img_as_ubyte(rgb2gray(image)), [1], [0], 256, symmetric=True, normed=True)
    return [graycoprops(matrix, name)[0, 0] for name in PROPERTIES]


def matrix_of_nuclei(image: np.ndarray, labels: np.ndarray) -> list[float]:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint16)
    gray[labels == 0] = 256
    matrix = graycomatrix(gray, [5], [0], 257, symmetric=True, normed=True)[:256, :256]
    return [graycoprops(matrix, name)[0, 0] for name in PROPERTIES]


def regions(image: np.ndarray, labels: np.ndarray) -> list[float]:
    found = [(r.area, r.perimeter, r.solidity, r.eccentricity) for r in regionprops(labels)]
    return np.mean(found, axis=0).tolist()


def ours(names: tuple[str, ...] | None = None) -> Work:
    return lambda image, labels: list(measure(image, labels, 0.25, names).values())


RIVALS: dict[str, tuple[Work, Work]] = {
    "texture of the patch": (ours(FULL), matrix_of_patch),
    "texture of the nuclei": (ours(NUCLEI), matrix_of_nuclei),
    "shapes of the nuclei": (ours(SHAPES), regions),
}


def load() -> tuple[np.ndarray, np.ndarray]:
    """Patches (n, h, w, 3) and labels (n, h, w) that show nuclei."""
    if len(sys.argv) > 1:
        with open_patches(sys.argv[1]) as patches:
            images, labels = patches.read(0, 4 * PATCHES), patches.read_masks(0, 4 * PATCHES)
    else:
        blocks = list(synthesize(SyntheticSpec(patches=PATCHES, patients=15, size=224, mpp=0.25)))
        images, labels = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("patches", "masks"))
    shown = labels.any((1, 2))
    return images[shown][:PATCHES], labels[shown][:PATCHES].astype(np.int32)


def seconds(work: Work, images: np.ndarray, labels: np.ndarray) -> float:
    """Process seconds for one patch."""
    start = time.process_time()
    for pair in zip(images, labels, strict=True):
        work(*pair)
    return (time.process_time() - start) / len(images)


def main() -> None:
    cv2.setNumThreads(1)
    images, labels = load()
    for mine, theirs in RIVALS.values():
        for pair in zip(images, labels, strict=True):
            np.testing.assert_allclose(mine(*pair), theirs(*pair), rtol=1e-9)
    works = [work for pair in RIVALS.values() for work in pair] + [ours()]
    times = np.array([[seconds(work, images, labels) for work in works] for _ in range(ROUNDS)])
    nuclei = np.mean([len(np.unique(each)) - 1 for each in labels])
    print(f"{images.shape} patches, {nuclei:.0f} nuclei each, {ROUNDS} rounds, all values equal to 1e-9")
    for number, name in enumerate(RIVALS):
        pair = times[:, 2 * number : 2 * number + 2]
        (mine, theirs), ratio = np.median(pair, axis=0) * 1e3, np.median(pair[:, 1] / pair[:, 0])
        print(f"{name:22} ours {mine:6.3f} ms a patch, scikit-image {theirs:7.3f} ms, {ratio:5.1f} times")
    everything = np.median(times[:, -1])
    print(f"{'all concepts':22} ours {everything * 1e3:6.3f} ms a patch, {1 / everything:.0f} patches/s")


if __name__ == "__main__":
    main()
