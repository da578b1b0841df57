from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.slides import Slide
from data_prep.slides.slide import WHITE
from tests.data_prep.slides.samples import halves, tissue_like

IMAGE = tissue_like(300, 420)


class Pyramid:
    """A `Source` in memory that remembers from which levels it was read."""

    bounds, notes = (7, 9), frozenset({"noted"})

    def __init__(self, levels):
        self.levels, self.read = levels, []
        self.sizes = tuple((level.shape[1], level.shape[0]) for level in levels)

    def mpp(self):
        return 0.25

    def region(self, level, x, y, width, height):
        full_width, full_height = self.sizes[level]
        assert min(x, y, full_width - x - width, full_height - y - height) >= 0
        self.read.append(level)
        return self.levels[level][y : y + height, x : x + width].copy()

    def close(self):
        self.read.append("closed")


@pytest.fixture
def slide(tmp_path):
    return Slide(tmp_path / "node_4.tif", Pyramid(halves(IMAGE, 3)), 0.25)


def levels_read(slide):
    return set(slide._source.read)


def test_what_a_slide_says_of_itself(slide):
    assert (slide.name, slide.size, slide.mpp, slide.bounds) == ("node_4", (420, 300), 0.25, (7, 9))
    assert slide.downsamples == (1.0, 2.0, 4.0)
    assert slide.notes == {"noted"}
    with slide:
        pass
    assert levels_read(slide) == {"closed"}


def test_a_slide_shows_its_path_size_and_scale(slide):
    assert repr(slide) == f"Slide({str(slide.path)!r}, {slide.size[0]} x {slide.size[1]} px, {slide.mpp:.4g} um/px)"
    assert "420 x 300 px" in repr(slide)


def test_level_0_is_read_as_it_is(slide):
    np.testing.assert_array_equal(slide.read(30, 41, 64, 0.25), IMAGE[41:105, 30:94])


@pytest.mark.parametrize(
    ("mpp", "level"), [(0.25, 0), (0.3, 0), (0.49, 0), (0.496, 1), (0.5, 1), (0.9, 1), (1.0, 2), (3.0, 2), (0.1, 0)]
)
def test_the_nearest_finer_level_is_read(slide, mpp, level):
    assert slide.read(0, 0, 32, mpp).shape == (32, 32, 3)
    assert levels_read(slide) == {level}


def test_a_level_of_that_scale_is_read_as_it_is(slide):
    np.testing.assert_array_equal(slide.read(40, 80, 50, 0.5), slide._source.levels[1][40:90, 20:70])


def test_coarser_pixels_are_means_over_areas(slide):
    """12 um from level 2 (4 level-0 pixels): 3 x 3 of it a pixel."""
    patch = slide.read(0, 0, 20, 3.0)
    means = slide._source.levels[2][:60, :60].reshape(20, 3, 20, 3, 3).mean((1, 3))
    assert np.abs(patch - means).max() <= 0.5 + 1e-9


@settings(max_examples=40, deadline=None)
@given(x=st.integers(0, 200), y=st.integers(0, 100), mpp=st.floats(0.25, 0.45), side=st.integers(16, 64))
def test_any_scale_shows_the_same_place(x, y, mpp, side):
    """Against OpenCV's affine warp of a smooth image: within what half a pixel's shift changes."""
    smooth = cv2.GaussianBlur(IMAGE, (0, 0), 6)
    patch = Slide(Path("a.tif"), Pyramid([smooth]), 0.25).read(x, y, side, mpp)
    scale = mpp / 0.25
    matrix = np.array([[scale, 0, x + (scale - 1) / 2], [0, scale, y + (scale - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(smooth, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = slice(0, max(1, int(min((420 - x) / scale, (300 - y) / scale, side)) - 2))
    assert np.abs(patch[inside, inside].astype(int) - expected[inside, inside]).max() <= 8


def test_finer_than_level_0_is_interpolated(slide):
    patch = slide.read(10, 10, 64, 0.125)
    expected = cv2.resize(IMAGE[10:42, 10:42], (64, 64), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(patch, expected)


def test_outside_is_white(slide):
    patch = slide.read(-10, 290, 32, 0.25)
    np.testing.assert_array_equal(patch[:10, 10:], IMAGE[290:, :22])
    assert (patch[10:] == WHITE).all()
    assert (patch[:, :10] == WHITE).all()
    assert (slide.read(5000, 5000, 8, 0.25) == WHITE).all()
    assert (slide.read(-400, 0, 8, 1.0) == WHITE).all()


@pytest.mark.parametrize(
    ("mpp", "level", "scale"), [(0.25, 0, 1), (0.75, 1, 4), (2.0, 2, 8), (2.9, 2, 12), (0.1, 0, 1)]
)
def test_an_overview_has_an_exact_scale(slide, mpp, level, scale):
    overview, exact = slide.overview(mpp)
    assert exact == slide.overview_scale(mpp) == scale
    assert levels_read(slide) == {level}
    assert overview.shape == (int(np.ceil(300 / scale)), int(np.ceil(420 / scale)), 3)


def test_overview_pixels_are_means_over_their_squares(slide, monkeypatch):
    monkeypatch.setattr("data_prep.slides.slide._BLOCK", 50)
    level = slide._source.levels[2]
    overview, scale = slide.overview(2.0)
    assert scale == 8
    padded = np.full((38 * 2, 53 * 2, 3), 255.0)
    padded[: level.shape[0], : level.shape[1]] = level
    assert np.abs(overview - padded.reshape(38, 2, 53, 2, 3).mean((1, 3))).max() <= 0.5 + 1e-9


@pytest.mark.parametrize(("finer", "got"), [(1, 1), (2, 2), (4, 5), (5, 5), (50, 10)])
def test_two_overviews_come_from_one_pass(slide, monkeypatch, finer, got):
    """The first is the plain one; the second as fine as was asked for, or as the level is."""
    monkeypatch.setattr("data_prep.slides.slide._BLOCK", 64)
    expected, scale = slide.overview(10)
    slide._source.read.clear()
    image, picture, of_image = slide.overviews(10, finer)
    assert len(slide._source.read) == -(-image.shape[0] // (64 // 10)) * -(-image.shape[1] // (64 // 10))
    np.testing.assert_array_equal(image, expected)
    assert of_image == scale
    assert picture.shape == (image.shape[0] * got, image.shape[1] * got, 3)
    again = cv2.resize(picture, image.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(again.astype(int) - image).max() <= 1


def test_an_overview_of_too_many_pixels_is_refused(slide, monkeypatch):
    monkeypatch.setattr("data_prep.slides.slide._LARGEST_OVERVIEW", 1000)
    with pytest.raises(InputError, match=r"420 x 300 pixels are too many for an overview"):
        slide.overview(0.25)
