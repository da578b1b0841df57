"""The regions of a patch that are darker than a level, for levels from dark to light: a tree of candidates.

A region of one level lies in one region of the next lighter level, its parent. Nuclei differ in darkness, so no one
level outlines all of them, but nearly each nucleus is a region of some level. The idea to choose among nested
regions is that of C. Arteta et al., Learning to detect cells using non-overlapping extremal regions, MICCAI 2012.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from data_prep.nuclei.chromatin import WORKING_MPP, Chromatin

LEVELS = np.linspace(0.95, 0.18, 14)
LARGEST_HOLE = round(40 / WORKING_MPP**2)  # um2 to pixels: the pale middle of a large nucleus, not a lumen
TERMS = 9
DISK = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


@dataclass(frozen=True)
class Level:
    """The n regions of a level; `labels` (h, w) `int32` numbers them from 1.

    `sums` (n, 9): over the pixels of a region, the sums of 1, x, y, x2, y2, xy, darkness, blueness and density.
    `slope` (n,): the mean of `Chromatin.edge` on its boundary. `touching` (n,): its pixels on the border of the patch.
    `pixel` (n,): the place of one of its pixels in the flat maps.
    """

    labels: np.ndarray
    sums: np.ndarray
    slope: np.ndarray
    touching: np.ndarray
    pixel: np.ndarray

    @property
    def area(self) -> np.ndarray:
        """Pixels of each region (n,)."""
        return self.sums[:, 0]

    def parents(self, lighter: "Level") -> np.ndarray:
        """For each region (n,) the index of the region of the next lighter level that it lies in."""
        return lighter.labels.ravel()[self.pixel] - 1


def find_levels(maps: Chromatin, terms: np.ndarray) -> list[Level]:
    """The regions of all levels, darkest first; `terms` as of `terms_of(maps)`."""
    levels = list[Level]()
    for level in LEVELS:
        levels.append(_measure(foreground(maps.darkness, level), levels[-1] if levels else None, terms, maps.edge))
    return levels


def terms_of(maps: Chromatin) -> np.ndarray:
    """(pixels, 9): what `Level.sums` sums."""
    height, width = maps.darkness.shape
    y, x = (axis.ravel().astype(np.float64) for axis in np.mgrid[:height, :width])
    shades = (maps.darkness.ravel(), maps.blueness.ravel(), maps.density.ravel())
    return np.stack([np.ones(x.size), x, y, x * x, y * y, x * y, *shades], axis=1)


def _measure(mask: np.ndarray, darker: Level | None, terms: np.ndarray, edge: np.ndarray) -> Level:
    """The regions of `mask`; what they share with the `darker` level before is not summed again."""
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    flat = labels.ravel()
    new = np.flatnonzero(mask if darker is None else mask & (darker.labels == 0))
    sums, pixel = sum_terms(flat[new], new, count, terms)
    if darker is not None:
        parents = flat[darker.pixel] - 1
        np.add.at(sums, parents, darker.sums)
        pixel[parents] = darker.pixel
    inner = cv2.erode(mask, DISK, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return Level(labels, sums, mean_slope(mask != inner, labels, count, edge), at_border(labels, count), pixel)


def sum_terms(owners: np.ndarray, pixels: np.ndarray, count: int, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`Level.sums` and `Level.pixel` of the regions 1 to `count` - 1 from `pixels` and their `owners`."""
    cells = (owners[:, None] - 1) * TERMS + np.arange(TERMS)
    sums = np.bincount(cells.ravel(), terms[pixels].ravel(), (count - 1) * TERMS).reshape(-1, TERMS)
    pixel = np.zeros(count - 1, np.int64)
    pixel[owners - 1] = pixels
    return sums, pixel


def mean_slope(boundary: np.ndarray, labels: np.ndarray, count: int, edge: np.ndarray) -> np.ndarray:
    """`Level.slope` from the pixels on the boundary."""
    places = np.flatnonzero(boundary)
    owners = labels.ravel()[places]
    length = np.bincount(owners, minlength=count)[1:]
    return np.bincount(owners, edge.ravel()[places], count)[1:] / np.maximum(length, 1)


def at_border(labels: np.ndarray, count: int) -> np.ndarray:
    """`Level.touching`."""
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    return np.bincount(np.concatenate(sides), minlength=count)[1:]


def foreground(darkness: np.ndarray, level: float) -> np.ndarray:
    """Pixels darker than `level` as 0 and 1 (`uint8`), small holes filled, threads and specks removed.

    Each step keeps order, so what is foreground at one level is foreground at every lighter one.
    """
    mask = (darkness > level).astype(np.uint8)
    return cv2.morphologyEx(_fill(mask), cv2.MORPH_OPEN, DISK)


def _fill(mask: np.ndarray) -> np.ndarray:
    """`mask` with those holes filled that are small and do not reach the border."""
    count, holes = cv2.connectedComponents(1 - mask, connectivity=4)
    filled = np.bincount(holes.ravel(), minlength=count) <= LARGEST_HOLE
    filled[0] = False
    filled[np.concatenate((holes[0], holes[-1], holes[:, 0], holes[:, -1]))] = False
    return mask | filled[holes] if filled.any() else mask
