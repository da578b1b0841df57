"""Values of patches, averaged over the cells of a coarse raster."""

import warnings

import numpy as np

from mta.slides.grid import Grid

LEAST = 0.5
"""Share of a cell that patches must cover, or it stays empty."""
SMALLEST = 64
"""Pixels of the longer side at which a pyramid ends."""


class Heatmap:
    """Means over the patches that cover each cell of `grid`, weighted by how much of it they cover.

    Memory is that of the cells, whatever the number of patches. `channels`: values of each patch.
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        self._sums = np.zeros((channels, *grid.shape))
        self._weights = np.zeros(grid.shape)
        self._on_tissue = grid.on_tissue
        self._along = _cover(grid.side / grid.stride)

    def add(self, cells: np.ndarray, values: np.ndarray) -> None:
        """Add patches by the (row, column) `cells` (n, 2) of their corners and their `values` (channels, n)."""
        for down, of_row in enumerate(self._along):
            for right, of_column in enumerate(self._along):
                where, weight = (cells[:, 0] + down, cells[:, 1] + right), of_row * of_column
                np.add.at(self._weights, where, weight)
                for sums, channel in zip(self._sums, values, strict=True):
                    np.add.at(sums, where, weight * channel)

    def maps(self) -> np.ndarray:
        """The means (channels, rows, columns) float32; NaN in cells without tissue, or less than half covered."""
        maps = np.full(self._sums.shape, np.nan, np.float32)
        covered = (self._weights >= LEAST) & self._on_tissue
        maps[:, covered] = self._sums[:, covered] / self._weights[covered]
        return maps


def _cover(cells: float) -> np.ndarray:
    """How much a patch that is `cells` cells long covers of each from its corner on: ones, and a rest."""
    whole = round(cells) if abs(cells - round(cells)) < 1e-6 else int(cells)
    rest = cells - whole
    return np.array([1.0] * whole + ([rest] if rest > 1e-6 else []))


def pyramid(maps: np.ndarray) -> list[np.ndarray]:
    """`maps` (channels, rows, columns) and its halves, down to 64 pixels or less along the longer side."""
    levels = [maps]
    while max(levels[-1].shape[1:]) > SMALLEST:
        levels.append(halved(levels[-1]))
    return levels


def halved(maps: np.ndarray) -> np.ndarray:
    """`maps` (channels, rows, columns) with means of 2 x 2 pixels that are not NaN; an odd last one is by itself."""
    channels, rows, columns = maps.shape
    even = np.pad(maps, ((0, 0), (0, rows % 2), (0, columns % 2)), constant_values=np.nan)
    blocks = even.reshape(channels, even.shape[1] // 2, 2, even.shape[2] // 2, 2)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        return np.asarray(np.nanmean(blocks, axis=(2, 4), dtype=np.float32))
