"""Polygons as pixels, and pixels as polygons."""

from typing import Any

import numpy as np


def rasterize(
    geometry: Any, shape: tuple[int, int], scale: float, origin: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Pixels (h, w) bool of a raster of `shape` whose centers lie in the shapely `geometry`.

    A pixel has `scale` units of the geometry along its edge (level-0 pixels: the scale of an overview), and the corner
    of the raster is `origin` (x, y). So pixel (row, column) is true where the point (x + (column + 0.5) * scale,
    y + (row + 0.5) * scale) is inside; where it is on an outline, left and top edges count as inside. It is found from
    the parity of the crossings of each row's center line with all outlines, so overlapping polygons must be united.
    """
    start, end = _edges(geometry, scale, origin)
    toggles = np.zeros((shape[0], shape[1] + 1), np.uint8)
    rows, columns = _crossings(start, end, *shape)
    np.bitwise_xor.at(toggles, (rows, columns), 1)
    return np.bitwise_xor.accumulate(toggles, axis=1, out=toggles)[:, :-1].astype(bool)


def _edges(geometry: Any, scale: float, origin: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Both ends (n, 2) of every edge of every ring, in units in which pixel centers are whole numbers."""
    import shapely

    rings = shapely.get_rings(shapely.get_parts(geometry))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    points = (points - origin) / scale - 0.5
    within = ring[1:] == ring[:-1]
    return points[:-1][within], points[1:][within]


def _crossings(start: np.ndarray, end: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and first column right of (or at) the crossing, of each edge with each row's center line."""
    upward = np.where((start[:, 1] > end[:, 1])[:, None], end, start)
    downward = np.where((start[:, 1] > end[:, 1])[:, None], start, end)
    # The half-open range [upper, lower) counts a corner between two edges once.
    first, last = (np.clip(np.ceil(y), 0, height).astype(np.int64) for y in (upward[:, 1], downward[:, 1]))
    counts = last - first
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    (x0, y0), (x1, y1) = upward[edge].T, downward[edge].T
    column = np.ceil(x0 + (row - y0) * (x1 - x0) / (y1 - y0))
    return row, np.clip(column, 0, width).astype(np.int64)


def runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, first column and column after the last (n,) of each stretch of `mask` (h, w) bool along a row."""
    changes = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), end = np.nonzero(changes == 1), np.nonzero(changes == -1)[1]
    return row, start, end


def vectorize(mask: np.ndarray) -> Any:
    """The pixels of `mask` (h, w) bool, edge for edge, as a shapely geometry in pixels from its corner."""
    import shapely

    row, start, end = runs(mask)
    # In whole pixels, whose edges meet exactly.
    return shapely.union_all(shapely.box(start, row, end, row + 1))
