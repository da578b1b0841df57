"""Where to cut patches: at random or on a grid. Geometry alone; what the pixels say is judged later."""

from collections.abc import Iterator

import numpy as np

from data_prep.sampling.ground import Ground

CHUNK = 1024
# Patches of a grid are read in squares of so many a side, so that tiles that they share are decoded once.
SQUARE = 8


def random_places(
    ground: Ground, kind: str, side: float, coverage: float, margin: int, chance: np.random.Generator
) -> Iterator[np.ndarray]:
    """Corners (k, 2) as (x, y) in level-0 pixels, in random order, of patches of `side` that never overlap.

    Each mask pixel is tried once, at a random point in it, so this ends; a place is given or not whatever the
    pixels of the slide are. `margin`: level-0 pixels to keep free along the edges of the slide.
    """
    cells = ground.candidates(kind, side, coverage)
    order = chance.permutation(len(cells))
    taken = Taken(ground.tissue.shape, ground.scale, side)
    last = np.floor(np.array(ground.size) - margin - side).astype(np.int64)
    for start in range(0, len(order), CHUNK):
        chosen = cells[order[start : start + CHUNK]]
        corners = ((chosen[:, ::-1] + chance.random(chosen.shape)) * ground.scale).astype(np.int64)
        # Of the last pixels that hold a place only a strip does, which a random point would miss.
        corners = np.where(chosen[:, ::-1] * ground.scale <= last, np.minimum(corners, last), corners)
        corners = corners[taken.free(chosen) & inside(ground, corners, side, margin)]
        corners = corners[ground.belongs(kind, corners[:, 0], corners[:, 1], side, coverage)]
        if len(kept := [corner for corner in corners if taken.take(corner)]):
            yield np.array(kept)


def grid_places(
    ground: Ground, kind: str, side: float, coverage: float, margin: int, stride: float
) -> Iterator[np.ndarray]:
    """Corners (k, 2) of the patches of class `kind` that lie every `stride` level-0 pixels, from the scanned corner on.

    They come in squares of `SQUARE` by `SQUARE` steps.
    """
    corner = np.array(ground.corner) + margin
    counts = np.maximum(0, np.floor((np.array(ground.size) - margin - side - corner) / stride) + 1).astype(int)
    for top in range(0, counts[1], SQUARE):
        for left in range(0, counts[0], SQUARE):
            rows, columns = np.mgrid[top : min(top + SQUARE, counts[1]), left : min(left + SQUARE, counts[0])]
            steps = np.stack([columns.ravel(), rows.ravel()], axis=1)
            corners = np.round(corner + steps * stride).astype(np.int64)
            corners = corners[inside(ground, corners, side, margin)]
            corners = corners[ground.belongs(kind, corners[:, 0], corners[:, 1], side, coverage)]
            if len(corners):
                yield corners


def inside(ground: Ground, corners: np.ndarray, side: float, margin: int) -> np.ndarray:
    """Whether (n,) patches of `side` at `corners` (n, 2) lie on the slide, `margin` pixels from its edges."""
    fits = (corners >= margin) & (corners + side <= np.array(ground.size) - margin)
    return np.all(fits, axis=1)


class Taken:
    """Which places are free of patches of `side` level-0 pixels that were taken before.

    `shape`, `scale`: of the mask whose pixels are asked for.
    """

    def __init__(self, shape: tuple[int, ...], scale: float, side: float) -> None:
        self._blocked = np.zeros(shape, bool)
        self._scale, self._side = scale, side
        self._corners: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def free(self, cells: np.ndarray) -> np.ndarray:
        """False (n,) for the mask pixels `cells` (n, 2) as (row, column) in which no corner can be free."""
        return ~self._blocked[cells[:, 0], cells[:, 1]]

    def take(self, corner: np.ndarray) -> bool:
        """Take the patch at `corner` (x, y) unless it overlaps one that is taken; whether it was free."""
        x, y = int(corner[0]), int(corner[1])
        if self._blocked[int(y // self._scale), int(x // self._scale)]:  # most that are not free, at once
            return False
        column, row = int(x // self._side), int(y // self._side)
        near = [(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        for other_x, other_y in (other for key in near for other in self._corners.get(key, ())):
            if abs(other_x - x) < self._side and abs(other_y - y) < self._side:
                return False
        self._corners.setdefault((column, row), []).append((x, y))
        self._block(x, y)
        return True

    def _block(self, x: int, y: int) -> None:
        """Mark the mask pixels that lie wholly where a corner would overlap the patch at (x, y)."""
        left, top = (max(0, int(np.ceil((value - self._side + 1) / self._scale))) for value in (x, y))
        right, bottom = (max(0, int((value + self._side) // self._scale)) for value in (x, y))
        self._blocked[top:bottom, left:right] = True
