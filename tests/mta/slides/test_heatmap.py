"""Means over patches in coarse cells."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from mta.slides.heatmap import Heatmap


def a_grid(side, stride, shape):
    return SimpleNamespace(side=side, stride=stride, shape=shape, on_tissue=np.ones(shape, bool))


def every_place(rows, columns):
    return np.indices((rows, columns)).reshape(2, -1).T


def test_without_overlap_a_cell_is_its_patch():
    heatmap = Heatmap(a_grid(32.0, 32.0, (3, 4)), 2)
    cells = np.array([[0, 1], [2, 3]])
    heatmap.add(cells, np.array([[0.25, 0.5], [7.0, 9.0]]))
    maps = heatmap.maps()
    assert maps.dtype == np.float32
    np.testing.assert_array_equal(maps[:, cells[:, 0], cells[:, 1]], [[0.25, 0.5], [7.0, 9.0]])
    assert np.isnan(maps).sum() == 2 * 10


@pytest.mark.parametrize("stride", [32, 16, 8, 20, 31])
def test_overlapping_patches_are_averaged_by_area(stride):
    """As if each pixel were the mean over its patches, weighted by how much each covers of the cell."""
    side, rows, columns = 32, 5, 6
    cells = every_place(rows, columns)
    values = np.random.default_rng(0).random((1, len(cells)))
    high, wide = (int(np.ceil(((count - 1) * stride + side) / stride)) for count in (rows, columns))
    heatmap = Heatmap(a_grid(float(side), float(stride), (high, wide)), 1)
    for start in range(0, len(cells), 7):
        heatmap.add(cells[start : start + 7], values[:, start : start + 7])
    sums, weights = np.zeros((2, high * stride, wide * stride))
    for (row, column), value in zip(cells * stride, values[0], strict=True):
        sums[row : row + side, column : column + side] += value
        weights[row : row + side, column : column + side] += 1
    sums, weights = (
        array.reshape(high, stride, wide, stride).sum(axis=(1, 3)) / stride**2 for array in (sums, weights)
    )
    expected = np.where(weights >= 0.5, sums / weights, np.nan)
    np.testing.assert_allclose(heatmap.maps()[0], expected, rtol=1e-6)


def test_cells_without_tissue_are_empty():
    grid = a_grid(32.0, 16.0, (3, 3))
    grid.on_tissue[2] = False
    heatmap = Heatmap(grid, 1)
    heatmap.add(every_place(2, 2), np.ones((1, 4)))
    np.testing.assert_array_equal(heatmap.maps()[0], [[1, 1, 1], [1, 1, 1], [np.nan] * 3])


def test_memory_is_that_of_the_cells_whatever_the_number_of_patches():
    heatmap = Heatmap(a_grid(224.0, 56.0, (200, 200)), 3)
    generator = np.random.default_rng(0)

    def add(batches):
        for _ in range(batches):
            heatmap.add(generator.integers(0, 196, (64, 2)), generator.random((3, 64)))

    add(5)
    tracemalloc.start()
    add(20)
    few = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    add(200)
    many = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert many < few + 50_000
