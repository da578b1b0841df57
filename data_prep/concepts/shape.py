"""Number, size and shape of nuclei, equal to scikit-image's `regionprops`, for all nuclei of a patch at once."""

import numpy as np

from data_prep.concepts.hull import convex_areas
from data_prep.concepts.patch import UNKNOWN, Nuclei, Patch

# Steps between border pixels: those that share an edge count 2, those that share a corner 10, the pixel itself 1.
_STRAIGHT, _DIAGONAL = 2, 10
_LENGTHS = np.zeros(50)
_LENGTHS[[5, 7, 15, 17, 25, 27]] = 1
_LENGTHS[[21, 33]] = np.sqrt(2)
_LENGTHS[[13, 23]] = (1 + np.sqrt(2)) / 2
_UM2_PER_MM2 = 1e6


def counts(patch: Patch) -> dict[str, float]:
    """How many nuclei, in all and for each square millimetre of the patch."""
    height, width = patch.image.shape[:2]
    count = patch.nuclei.count
    return {"ncount": float(count), "ndensity": count / (height * width * patch.mpp**2) * _UM2_PER_MM2}


def areas(patch: Patch) -> dict[str, float]:
    """Mean and population standard deviation of the nuclei's areas, in pixels and square micrometres."""
    own, pixel = patch.nuclei.areas, patch.mpp**2
    mean, spread = patch.nuclei.mean(own), float(own.std()) if len(own) else UNKNOWN
    return {"narea": mean, "narea_um2": mean * pixel, "narea_std": spread, "narea_std_um2": spread * pixel}


def outlines(patch: Patch) -> dict[str, float]:
    """Mean perimeter, in pixels and micrometres, and mean solidity of the nuclei."""
    nuclei = patch.nuclei
    perimeter = nuclei.mean(perimeters(nuclei))
    solidity = nuclei.mean(nuclei.areas / convex_areas(nuclei))
    return {"nperimeter": perimeter, "nperimeter_um": perimeter * patch.mpp, "nsolidity": solidity}


def elongation(patch: Patch) -> dict[str, float]:
    """Mean eccentricity of the nuclei."""
    return {"neccentricity": patch.nuclei.mean(eccentricities(patch.nuclei))}


def eccentricities(nuclei: Nuclei) -> np.ndarray:
    """Of the ellipse with the second moments of each nucleus (count,): 0 for a disk, 1 for a line.

    With the eigenvalues m ± r of the covariance of the pixels, sqrt(1 - (m - r) / (m + r)) = sqrt(2r / (m + r)).
    """
    y, x = np.divmod(nuclei.place, nuclei.stride)
    y, x = _centred(nuclei, y), _centred(nuclei, x)
    yy, xx, xy = (_sums(nuclei, product) for product in (y * y, x * x, x * y))
    radius = np.hypot((yy - xx) / 2, xy)
    largest = (yy + xx) / 2 + radius
    return np.sqrt(2 * radius / np.where(largest > 0, largest, 1))


def _sums(nuclei: Nuclei, values: np.ndarray) -> np.ndarray:
    return np.bincount(nuclei.owner, values, nuclei.count)


def _centred(nuclei: Nuclei, values: np.ndarray) -> np.ndarray:
    return values - (_sums(nuclei, values) / nuclei.areas)[nuclei.owner]


def perimeters(nuclei: Nuclei) -> np.ndarray:
    """Length in pixels of the line through the centres of each nucleus' border pixels (count,).

    Benkrid and Crookes' estimator: a border pixel, one with a straight neighbor outside its nucleus, adds 1, √2 or
    their mean by the border pixels around it. Whatever lies beyond the patch is outside.
    """
    place, framed, row = nuclei.place, nuclei.framed, nuclei.stride
    straight = np.array([[-1], [1], [-row], [row]])
    border = (framed[place + straight] != framed[place]).any(axis=0)
    place, owner = place[border], nuclei.owner[border]
    outline = np.zeros_like(framed)
    outline[place] = owner + 1
    diagonal = np.array([[-row - 1], [-row + 1], [row - 1], [row + 1]])
    codes = 1 + _STRAIGHT * _alike(outline, place, straight) + _DIAGONAL * _alike(outline, place, diagonal)
    return np.bincount(owner, _LENGTHS[codes], nuclei.count)


def _alike(outline: np.ndarray, place: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """How many of the neighbors at `steps` (4, 1) belong to the same outline (k,)."""
    return (outline[place + steps] == outline[place]).sum(axis=0)
