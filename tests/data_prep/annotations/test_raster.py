import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from data_prep.annotations import rasterize, vectorize


def by_points(geometry, shape, scale, origin=(0.0, 0.0)):
    """Shapely asked for every pixel's center."""
    rows, columns = np.indices(shape)
    return shapely.contains_xy(geometry, origin[0] + (columns + 0.5) * scale, origin[1] + (rows + 0.5) * scale)


def star(generator, corners, reach=60):
    """A shape of many corners about (reach, reach)."""
    angles = np.sort(generator.uniform(0, 2 * np.pi, corners))
    radii = generator.uniform(5, reach, corners)
    return shapely.make_valid(shapely.Polygon(np.c_[reach + radii * np.cos(angles), reach + radii * np.sin(angles)]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.7, 1.0, 3.0, 16.0]),
    x=st.floats(-30, 30),
    y=st.floats(-30, 30),
)
def test_a_pixel_is_true_where_its_center_is_inside(seed, scale, x, y):
    generator = np.random.default_rng(seed)
    geometry = (star(generator, 12) - star(generator, 7, 30)) | star(generator, 5, 90)
    expected = by_points(geometry, (50, 70), scale, (x, y))
    np.testing.assert_array_equal(rasterize(geometry, (50, 70), scale, (x, y)), expected)


def test_it_is_skimages_but_for_the_half_pixel():
    geometry = star(np.random.default_rng(3), 40)
    corners = np.array(geometry.exterior.coords)[:-1, ::-1]
    np.testing.assert_array_equal(rasterize(geometry, (130, 130), 1.0), polygon2mask((130, 130), corners - 0.5))


def test_boxes_of_whole_pixels_are_exact():
    """Centers on an outline count left and above, so neighbors share no pixel and leave none out."""
    assert rasterize(shapely.box(2, 3, 5, 7), (10, 10), 1.0).nonzero()[0].tolist() == [
        r for r in range(3, 7) for _ in "abc"
    ]
    left, right = shapely.box(0.5, 0.5, 4.5, 8.5), shapely.box(4.5, 0.5, 9.5, 8.5)
    both = rasterize(left, (10, 10), 1.0).astype(int) + rasterize(right, (10, 10), 1.0)
    assert both[:8, :9].tolist() == [[1] * 9] * 8
    assert both.sum() == 72


def test_holes_and_several_parts():
    geometry = shapely.box(0, 0, 6, 6) - shapely.box(2, 2, 4, 4) | shapely.box(8, 0, 9, 9)
    raster = rasterize(geometry, (10, 10), 1.0)
    assert raster.sum() == 36 - 4 + 9
    assert not raster[2:4, 2:4].any()


def test_a_coarse_raster_takes_the_centers():
    raster = rasterize(shapely.box(0, 0, 40, 24), (4, 4), 16.0)
    assert raster.tolist() == [[True, True, False, False], [False] * 4, [False] * 4, [False] * 4]


@pytest.mark.parametrize("geometry", [shapely.Polygon(), shapely.box(-50, -50, -10, -10), shapely.box(99, 0, 120, 9)])
def test_nothing_and_elsewhere_are_empty(geometry):
    raster = rasterize(geometry, (20, 30), 1.0)
    assert raster.shape == (20, 30)
    assert raster.dtype == bool
    assert not raster.any()
    assert rasterize(shapely.box(-50, -50, 100, 100), (20, 30), 1.0).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
@settings(max_examples=50, deadline=None)
def test_pixels_become_polygons_edge_for_edge(seed, share):
    mask = np.random.default_rng(seed).random((12, 17)) < share
    geometry = vectorize(mask)
    assert geometry.area == mask.sum()
    np.testing.assert_array_equal(rasterize(geometry, mask.shape, 1.0), mask)


def test_no_pixels_are_an_empty_geometry():
    assert vectorize(np.zeros((3, 4), bool)).is_empty
