"""Where on a slide the model looks: a grid over its tissue."""

from dataclasses import dataclass, replace

import numpy as np

from data_prep.errors import InputError
from data_prep.extraction import ExtractionSettings
from data_prep.extraction.survey import patch_side, survey
from data_prep.sampling import UNLABELLED, VOID, Ground, grid_places
from data_prep.sampling.shares import MaskShares
from data_prep.slides import Slide, is_coarser
from data_prep.tissue import is_void
from mta.slides.settings import SlideSettings


@dataclass(frozen=True)
class Grid:
    """The patches of a slide, and the coarse raster of cells of one stride that its heatmaps are.

    `size`, `mpp`: pixels along a patch, and micrometres each. `side`, `stride`: of a patch and from one to the next, in
    level-0 pixels. `corner` (x, y): of the first cell, level-0 pixels. `shape` (rows, columns): of the cells. `places`
    (n, 2): corners (x, y) of the patches, level-0 pixels. `cells` (n, 2): (row, column) of the cell at that corner.
    `on_tissue` (rows, columns) bool: cells that hold as much tissue as a patch must.
    `cell_mpp`: micrometres along a cell. `tissue_mm2`: area of the tissue. `ground`: tissue and scale. `picture`
    (h, w, 3) uint8: the slide to look at.
    """

    size: int
    mpp: float
    side: float
    stride: float
    corner: tuple[int, int]
    shape: tuple[int, int]
    places: np.ndarray
    cells: np.ndarray
    on_tissue: np.ndarray
    cell_mpp: float
    tissue_mm2: float
    ground: Ground
    picture: np.ndarray

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Where cells begin and end, (columns + 1,) x and (rows + 1,) y, whole level-0 pixels on the slide."""
        x, y = (
            np.round(start + np.arange(count + 1) * self.stride)
            for start, count in zip(self.corner, self.shape[::-1], strict=True)
        )
        return np.minimum(x, self.ground.size[0]), np.minimum(y, self.ground.size[1])


def lay_grid(slide: Slide, size: int, mpp: float, settings: SlideSettings) -> Grid:
    """The grid of patches of `size` pixels at `mpp` micrometres on the tissue of `slide`, from the scanned corner on.

    What a scanner left black is no tissue, and a patch with more than a hundredth of it is left out. Raises
    `InputError` for a slide coarser than `mpp` by more than 1 %, without tissue, or without a place for a patch.
    """
    if is_coarser(slide, mpp):
        raise InputError(
            f"{slide.path}: has {slide.mpp:.4g} um a pixel, coarser than the {mpp:.4g} that the model was trained at; "
            f"take a finer scan, or a model of {slide.mpp:.4g} or more"
        )
    stride = settings.patch_stride(size)
    cutting = ExtractionSettings(mpp, size, settings.tissue, "grid", stride=stride, coverage=settings.coverage)
    found = survey(slide, None, cutting)
    void = is_void(found.overview)
    ground = replace(found.ground, tissue=found.ground.tissue & ~void)
    side = patch_side(slide, cutting)
    step = side * stride / size
    places = _places(slide, ground, void, side, step, settings)
    rows, columns = (int(np.ceil((slide.size[axis] - slide.bounds[axis]) / step)) for axis in (1, 0))
    cells = np.round((places - slide.bounds) / step).astype(np.int64)[:, ::-1]
    tissue_mm2 = float(ground.tissue.sum()) * (ground.scale * slide.mpp / 1000) ** 2
    on_tissue = _on_tissue(ground, (rows, columns), step, settings.coverage)
    return Grid(
        size, mpp, side, step, slide.bounds, (rows, columns), places, cells, on_tissue, step * slide.mpp,
        tissue_mm2, ground, found.picture,
    )  # fmt: skip


def _places(
    slide: Slide, ground: Ground, void: np.ndarray, side: float, step: float, settings: SlideSettings
) -> np.ndarray:
    if not ground.tissue.any():
        raise InputError(f"{slide.path}: no tissue found; try the other --tissue")
    black = MaskShares(void, ground.scale)
    blocks = list(grid_places(ground, UNLABELLED, side, settings.coverage, 0, step))
    places = np.concatenate([np.zeros((0, 2), np.int64), *blocks])
    places = places[black.of(places[:, 0], places[:, 1], side) <= VOID]
    if not len(places):
        raise InputError(
            f"{slide.path}: no place for a patch of {side * slide.mpp:.0f} um with {settings.coverage:.0%} tissue; "
            "lower --coverage, or try the other --tissue"
        )
    return places


def _on_tissue(ground: Ground, shape: tuple[int, int], step: float, coverage: float) -> np.ndarray:
    x = np.round(ground.corner[0] + step * np.arange(shape[1]))
    lines = (np.full(shape[1], np.round(ground.corner[1] + step * row)) for row in range(shape[0]))
    return np.array([ground.belongs(UNLABELLED, x, y, step, coverage) for y in lines])
