"""Threads that read ahead change nothing but the time."""

import threading

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.slides import open_slide
from mta.predicting import BATCH
from mta.slides.grid import lay_grid
from mta.slides.reading import AHEAD, batches
from mta.slides.settings import SlideSettings


@pytest.fixture
def slide(slide_path):
    with open_slide(slide_path) as slide:
        yield slide


@pytest.fixture
def grid(slide):
    return lay_grid(slide, 32, 0.5, SlideSettings(stride=12))


@pytest.mark.parametrize("workers", [1, 4])
def test_every_patch_comes_once_in_order_and_normalized(slide, grid, workers):
    pieces = list(batches(slide, grid, lambda images: 255 - images, workers))
    assert [rows.start for rows, _ in pieces] == list(range(0, len(grid.places), BATCH))
    assert {len(images) for _, images in pieces[:-1]} == {BATCH}
    expected = np.stack([slide.read(x, y, 32, 0.5) for x, y in grid.places.tolist()])
    np.testing.assert_array_equal(np.concatenate([images for _, images in pieces]), 255 - expected)


def test_few_batches_are_read_ahead(slide, grid):
    begun = []
    read = batches(slide, grid, lambda images: begun.append(1) or images, 2)
    for taken, _ in enumerate(read, 1):
        assert len(begun) <= taken + 1 + AHEAD + 2
    assert len(begun) == taken > 10


def test_a_damaged_place_ends_it_and_leaves_no_thread(slide, grid):
    def damaged(images):
        raise InputError("cannot be read")

    before = threading.active_count()
    with pytest.raises(InputError, match="cannot be read"):
        list(batches(slide, grid, damaged, 3))
    assert threading.active_count() == before
