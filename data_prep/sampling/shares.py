"""How much of a square patch a mask or an annotation covers."""

from typing import Any

import cv2
import numpy as np
import shapely


class MaskShares:
    """Shares of squares in a `mask` (h, w) bool of which one pixel is `scale` level-0 pixels wide.

    Exact to fractions of a mask pixel: between its corners the integral of a mask of squares is bilinear.
    """

    def __init__(self, mask: np.ndarray, scale: float) -> None:
        self._sums, self._scale = cv2.integral(mask.astype(np.uint8)), scale

    def of(self, x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
        """Share (n,) of the squares with corners `x`, `y` (n,) and edge `side`, all in level-0 pixels; 0 outside."""
        x0, x1, y0, y1 = (value / self._scale for value in (x, x + side, y, y + side))
        inside = self._sum(x1, y1) - self._sum(x0, y1) - self._sum(x1, y0) + self._sum(x0, y0)
        return inside * (self._scale / side) ** 2

    def _sum(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Mask pixels above and left of (x, y)."""
        height, width = self._sums.shape
        x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
        column = np.minimum(x.astype(np.int64), width - 2)
        row = np.minimum(y.astype(np.int64), height - 2)
        right, down = x - column, y - row
        top = self._sums[row, column] * (1 - right) + self._sums[row, column + 1] * right
        bottom = self._sums[row + 1, column] * (1 - right) + self._sums[row + 1, column + 1] * right
        return top * (1 - down) + bottom * down


class AreaShares:
    """Shares of squares in a shapely `geometry` (level-0 pixels, None: nothing), from its area, however small it is."""

    def __init__(self, geometry: Any) -> None:
        self._parts = [part for part in shapely.get_parts(geometry) if part.area > 0]
        self._tree = shapely.STRtree(self._parts)
        shapely.prepare(self._parts)

    def touches(self, x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
        """Whether (n,) the squares have any point in common with the geometry."""
        touched = np.zeros(len(x), bool)
        touched[self._tree.query(_boxes(x, y, side), predicate="intersects")[0]] = True
        return touched

    def of(self, x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
        """Share (n,) of the squares with corners `x`, `y` (n,) and edge `side`, all in level-0 pixels."""
        boxes, areas = _boxes(x, y, side), np.zeros(len(x))
        for square, part in self._tree.query(boxes, predicate="intersects").T:
            polygon, box = self._parts[part], boxes[square]
            within = polygon.contains_properly(box)
            areas[square] += box.area if within else shapely.clip_by_rect(polygon, *box.bounds).area
        return areas / side**2


def _boxes(x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
    return shapely.box(x, y, x + side, y + side)
