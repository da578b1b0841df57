"""How many pixels the convex hull of a nucleus holds, for all nuclei of a patch at once.

As scikit-image has it: the hull is that of the middles of the pixels' edges, and it holds the pixels whose centre lies
in it or on it. All coordinates are doubled, so that the middles are whole numbers and centres are the even ones.
"""

import cv2
import numpy as np

from data_prep.concepts.patch import Nuclei

_MIDDLES = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
# Crossings are fractions with denominators below 10^4, so this tells those on a pixel centre from all others.
_ROUNDING = 1e-6


def convex_areas(nuclei: Nuclei) -> np.ndarray:
    """Pixels in the convex hull of each nucleus (count,)."""
    if not nuclei.count:
        return np.zeros(0)
    owner, start, end = _edges(nuclei)
    owner, row, crossing = _crossings(owner, start, end)
    order = np.lexsort((row, owner))
    owner, row, crossing = owner[order], row[order], crossing[order] / 2
    first = np.flatnonzero(np.diff(owner, prepend=-1).astype(bool) | np.diff(row, prepend=row[0] - 1).astype(bool))
    left, right = np.minimum.reduceat(crossing, first), np.maximum.reduceat(crossing, first)
    widths = np.floor(right + _ROUNDING) - np.ceil(left - _ROUNDING) + 1
    return np.bincount(owner[first], widths, nuclei.count)


def _edges(nuclei: Nuclei) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Owner (m,), start and end (m, 2) of the edges of all hulls, x before y."""
    points, splits = _points(nuclei)
    hulls = [cv2.convexHull(part)[:, 0] for part in np.split(points, splits)]
    sizes = np.array([len(hull) for hull in hulls])
    following = np.arange(1, sizes.sum() + 1)
    following[sizes.cumsum() - 1] -= sizes
    start = np.concatenate(hulls)
    return np.repeat(np.arange(nuclei.count), sizes), start, start[following]


def _points(nuclei: Nuclei) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the edges of the pixels that end a row of a nucleus (k, 2), by nucleus, and where the next begins."""
    place, framed = nuclei.place, nuclei.framed
    ends = (framed[place - 1] != framed[place]) | (framed[place + 1] != framed[place])
    owner, place = nuclei.owner[ends], place[ends]
    place = place[np.argsort(owner, kind="stable")]
    centres = 2 * np.stack([place % nuclei.stride, place // nuclei.stride], axis=1)
    points = (centres[:, None] + _MIDDLES).reshape(-1, 2).astype(np.int32)
    return points, len(_MIDDLES) * np.cumsum(np.bincount(owner))[:-1]


def _crossings(owner: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where edges meet the rows of pixel centres: owner, row and (doubled) x of each meeting (k,)."""
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = (low + 1) // 2
    count = np.where(high > low, high // 2 - first + 1, 0)
    edge = np.repeat(np.arange(len(owner)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (x, y), (dx, dy) = start[edge].T, (end - start)[edge].T
    return owner[edge], row, x + (2 * row - y) * dx / dy
