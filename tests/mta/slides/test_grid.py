"""Where the model looks on a slide."""

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.slides import open_slide
from mta.slides.grid import lay_grid
from mta.slides.settings import SlideSettings
from tests.data_prep.slides.samples import write_tiff
from tests.mta.slides.samples import MARGIN, section


def grid_of(path, size=32, mpp=0.5, bounds=(0, 0), **settings):
    with open_slide(path) as slide:
        slide.bounds = bounds
        return lay_grid(slide, size, mpp, SlideSettings(**settings))


def test_patches_lie_on_the_grid_and_on_tissue(slide_path):
    grid = grid_of(slide_path)
    assert (grid.side, grid.stride, grid.shape, grid.cell_mpp) == (32, 32, (13, 16), 16)
    np.testing.assert_array_equal(grid.places, grid.cells[:, ::-1] * 32)
    covered = [
        section()[y : y + 32, x : x + 32].min(axis=2) < 240
        for x, y in grid.places  # the noise is never as bright
    ]
    assert min(map(np.mean, covered)) >= 0.55
    inner = (np.arange(13) * 32 >= MARGIN) & (np.arange(13) * 32 + 32 <= 400 - MARGIN)
    assert {(row, column) for row in np.flatnonzero(inner) for column in range(2, 14)} <= set(map(tuple, grid.cells))


def test_a_model_of_coarser_patches_takes_larger_squares(slide_path):
    grid = grid_of(slide_path, mpp=1.0)
    assert (grid.side, grid.stride, grid.shape, grid.cell_mpp) == (64, 64, (7, 8), 32)


def test_less_stride_overlaps(slide_path):
    grid = grid_of(slide_path, stride=8)
    assert (grid.side, grid.stride, grid.shape) == (32, 8, (50, 63))
    assert len(grid.places) > 10 * len(grid_of(slide_path).places)


def test_the_grid_begins_at_the_scanned_corner(slide_path):
    grid = grid_of(slide_path, bounds=(50, 70))
    assert (grid.corner, grid.shape) == ((50, 70), (11, 15))
    np.testing.assert_array_equal(grid.places, grid.cells[:, ::-1] * 32 + [50, 70])
    x, y = grid.edges
    assert (x[0], x[1], x[-1], y[0], y[-1]) == (50, 82, 500, 70, 400)  # the last cell ends with the slide


def test_tissue_is_measured(slide_path):
    area = (500 - 2 * MARGIN) * (400 - 2 * MARGIN) * 0.25 / 1e6
    assert grid_of(slide_path).tissue_mm2 == pytest.approx(area, rel=0.05)


def test_cells_without_tissue_stay_out_where_patches_overlap(slide_path):
    grid = grid_of(slide_path, stride=8)
    rows, columns = np.nonzero(grid.on_tissue)
    assert (rows.min() * 8, columns.min() * 8) == (MARGIN, MARGIN)


def test_what_was_not_scanned_is_no_tissue(tmp_path):
    image = section()
    image[:, 250:] = 6
    grid = grid_of(write_tiff(tmp_path / "a.tif", image, levels=2), tissue="saturation")
    assert len(grid.places)
    assert grid.places[:, 0].max() + 32 <= 250


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"mpp": 0.25}, r"a\.tif: has 0\.5 um a pixel, coarser than the 0\.25 that the model was trained at"),
        ({"stride": 33}, r"--stride 33: patches have 32 pixels; give 1 to 32"),
        ({"stride": 0}, r"--stride 0: "),
        ({"size": 512}, r"a\.tif: no place for a patch of 256 um with 60% tissue; lower --coverage"),
        ({"coverage": 0.0}, r"--coverage 0\.0: give a share"),
        ({"threshold": 0.0}, r"--threshold 0\.0: give a probability"),
    ],
)
def test_bad_input_is_one_line(slide_path, settings, line):
    with pytest.raises(InputError, match=line):
        grid_of(slide_path, **settings)


def test_a_slide_of_glass_alone(tmp_path):
    glass = write_tiff(tmp_path / "a.tif", np.full((400, 500, 3), 243, np.uint8))
    with pytest.raises(InputError, match=r"a\.tif: no tissue found; try the other --tissue"):
        grid_of(glass, tissue="saturation")
