"""The picture of a heatmap, looked at in figures."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from data_prep.slides import open_slide
from mta.slides.grid import lay_grid
from mta.slides.overlay import Overlay
from mta.slides.settings import SlideSettings


@pytest.fixture
def slide(slide_path):
    with open_slide(slide_path) as slide:
        yield slide


def drawn(path, slide, grid, values, threshold=0.5):
    Overlay(slide, grid).draw(path, values, "tumor probability", threshold)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def reddest(picture):
    """Rows and columns of the outline, whose red no other thing has."""
    red = (picture[..., 0] > 170) & (picture[..., 1] < 60) & (picture[..., 2] < 60)
    return np.nonzero(red[:, picture.shape[1] // 2 :])


def test_the_slide_is_left_the_heatmap_right_and_its_outline_where_it_belongs(slide, tmp_path):
    """Cells 4 to 8 of 16 across and 3 to 6 of 13 down are tumor: the outline must frame them."""
    grid = lay_grid(slide, 32, 0.5, SlideSettings())
    values = np.where(grid.on_tissue, 0.1, np.nan).astype(np.float32)
    values[3:6, 4:8] = 0.9
    picture = drawn(tmp_path / "p.png", slide, grid, values)
    height, width = picture.shape[:2]
    assert width > 1500
    middle = picture[height // 3 : height // 2]
    left, right = middle[:, : width * 4 // 9], middle[:, width * 5 // 9 : width * 8 // 9]
    assert ((left[..., 0] - left[..., 1]) > 30).mean() > 0.3  # the section is pink
    assert ((right[..., 0] - right[..., 1]) > 30).mean() < 0.1  # and gray under the colors
    rows, columns = reddest(picture)
    # Four cells beside three: the frame has their proportions, and its width says how wide the whole slide is drawn.
    across, down = np.ptp(columns), np.ptp(rows)
    assert across / down == pytest.approx(4 / 3, rel=0.03)
    frame = across / 128 * 500  # of the whole slide
    assert frame == pytest.approx(width * 0.46, rel=0.1)


def test_large_heatmaps_are_drawn_more_coarsely_in_the_same_place(slide, tmp_path):
    grid = lay_grid(slide, 32, 0.5, SlideSettings())
    values = np.zeros((13, 16), np.float32)
    values[4:6, 4:8] = 0.9
    fine = replace(grid, stride=0.5, shape=(13 * 64, 16 * 64))
    picture = drawn(tmp_path / "p.png", slide, grid, values)
    again = drawn(tmp_path / "q.png", slide, fine, values.repeat(64, axis=0).repeat(64, axis=1))
    for ours, theirs in zip(reddest(picture), reddest(again), strict=True):
        assert (ours.min(), ours.max()) == pytest.approx((theirs.min(), theirs.max()), abs=2)


def test_a_concept_has_no_outline_and_its_own_span(slide, tmp_path):
    grid = lay_grid(slide, 32, 0.5, SlideSettings())
    values = np.random.default_rng(0).normal(30, 5, grid.shape).astype(np.float32)
    picture = drawn(tmp_path / "p.png", slide, grid, values, threshold=None)
    assert not len(reddest(picture)[0])
    same = drawn(tmp_path / "q.png", slide, grid, np.full(grid.shape, 30, np.float32), threshold=None)
    assert same.shape[1] == picture.shape[1]  # all alike is drawn as well
