"""Part maps of whole slides."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_prep.console import progress
from data_prep.errors import InputError
from data_prep.slides import Slide, open_slide
from mta.explain.cutting import crossing_of
from mta.explain.part_facts import weight_maps
from mta.explain.part_measuring import PartNetwork
from mta.predicting import BATCH
from mta.slides.grid import Grid, lay_grid
from mta.slides.overlay import Overlay
from mta.slides.reading import batches
from mta.slides.settings import SlideSettings
from mta.slides.staining import slide_normalization
from mta.slides.tiff import write_heatmap
from mta.trained import Trained

_WORKERS = 2


def require_slides(paths: Sequence[str], trained: Trained, mpp: float | None) -> None:
    """Raise `InputError` unless `map_slide` can map each of `paths`, and no two have one name."""
    settings = SlideSettings(mpp)
    names = [Path(path).stem for path in paths]
    for path in paths:
        if not Path(path).exists():
            raise InputError(f"{path}: there is no such slide")
        if names.count(Path(path).stem) > 1:
            raise InputError(f"{path}: another slide has the same name, and would be written to the same folder")
        with open_slide(path) as slide:
            lay_grid(slide, trained.side, settings.patch_mpp(trained), settings)


def map_slide(folder: Path, network: PartNetwork, parts: np.ndarray, path: str, mpp: float | None, quiet: bool) -> None:
    """Write the weight of each of `parts` (K, C) all over a slide to `folder`/NAME: `parts.ome.tif`, `part-K.png`.

    A pixel of the maps is a position of the layer; patches lie side by side over the tissue. In memory are the maps
    and a few batches. Raises `InputError` for a slide that cannot be read, is too coarse or has no tissue.
    """
    trained, settings = network.subject.trained, SlideSettings(mpp)
    with open_slide(path) as slide:
        grid = lay_grid(slide, trained.side, settings.patch_mpp(trained), settings)
        maps = _assembled(slide, grid, network, parts, quiet)
        fine = _refined(grid, maps.shape[1] // grid.shape[0], maps.shape[2] // grid.shape[1])
        names = [f"part {k + 1}" for k in range(len(parts))]
        write_heatmap(folder / slide.name / "parts.ome.tif", maps, names, fine.cell_mpp)
        overlay = Overlay(slide, fine)
        for number, (name, values) in enumerate(zip(names, maps, strict=True), 1):
            overlay.draw(folder / slide.name / f"part-{number:02d}.png", values, name, None)


def _assembled(slide: Slide, grid: Grid, network: PartNetwork, parts: np.ndarray, quiet: bool) -> np.ndarray:
    """Weights (K, rows, columns) at every position of the layer over the whole grid; NaN where no patch was."""
    normalize, _ = slide_normalization(network.subject.trained, slide, grid)
    down, right = network.cut.lower.outputs[0].shape[1:3]
    whole = np.full((grid.shape[0], down, grid.shape[1], right, len(parts)), np.nan, np.float32)
    read = batches(slide, grid, normalize, _WORKERS)
    for rows, images in progress(read, f"{slide.name}: batches", -(-len(grid.places) // BATCH), quiet):
        activation = np.asarray(crossing_of(network.cut, images.astype(np.float32))[0], np.float32)
        cells = grid.cells[rows]
        whole[cells[:, 0], :, cells[:, 1]] = weight_maps(activation, parts)
    return np.moveaxis(whole.reshape(grid.shape[0] * down, grid.shape[1] * right, len(parts)), -1, 0)


def _refined(grid: Grid, down: int, right: int) -> Grid:
    """`grid` with cells of a position of the layer, `down` x `right` of them in a patch, which is square."""
    shape = (grid.shape[0] * down, grid.shape[1] * right)
    return replace(grid, shape=shape, stride=grid.stride / right, cell_mpp=grid.cell_mpp / right)
