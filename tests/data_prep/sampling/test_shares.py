"""Shares against counting every pixel, and against shapely's own intersections."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.sampling.shares import AreaShares, MaskShares


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 40))
def test_the_share_of_a_mask_is_that_of_its_pixels(seed, scale, side):
    """Blow the mask up to level 0 and count there."""
    rng = np.random.default_rng(seed)
    mask = rng.random((rng.integers(1, 9), rng.integers(1, 9))) < 0.5
    full = np.pad(np.kron(mask, np.ones((scale, scale))), ((0, side), (0, side)))
    x, y = rng.integers(0, mask.shape[1] * scale, 20), rng.integers(0, mask.shape[0] * scale, 20)
    expected = [full[b : b + side, a : a + side].mean() for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(MaskShares(mask, scale).of(x, y, side), expected, atol=1e-12)


def test_fractions_of_a_mask_pixel_count():
    shares = MaskShares(np.array([[True, False], [False, True]]), 10)
    assert shares.of(np.array([2.5]), np.array([0.0]), 10) == pytest.approx([0.75])
    assert shares.of(np.array([0.0]), np.array([0.0]), 20) == pytest.approx([0.5])
    assert shares.of(np.array([15.0]), np.array([15.0]), 10) == pytest.approx([0.25])


def star(rng, centre, radius):
    angles = np.sort(rng.random(12)) * 2 * np.pi
    reach = radius * rng.uniform(0.3, 1, 12)
    return shapely.Polygon(np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None] + centre).buffer(0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_share_of_an_annotation_is_that_of_its_area(seed):
    rng = np.random.default_rng(seed)
    holes = shapely.union_all([star(rng, rng.uniform(0, 200, 2), 20) for _ in range(3)])
    geometry = shapely.union_all([star(rng, rng.uniform(0, 200, 2), 60) for _ in range(4)]) - holes
    x, y = rng.integers(-20, 200, (2, 30))
    boxes = shapely.box(x, y, x + 25.5, y + 25.5)
    shares = AreaShares(geometry)
    expected = shapely.area(shapely.intersection(boxes, geometry)) / 25.5**2
    np.testing.assert_allclose(shares.of(x, y, 25.5), expected, atol=1e-9)
    np.testing.assert_array_equal(shares.touches(x, y, 25.5), shapely.intersects(boxes, geometry))


@pytest.mark.parametrize("geometry", [shapely.Polygon(), shapely.MultiPolygon(), shapely.LineString([(0, 0), (9, 9)])])
def test_what_has_no_area_covers_nothing(geometry):
    shares = AreaShares(geometry)
    assert shares.of(np.array([0, 1]), np.array([0, 1]), 5).tolist() == [0, 0]
    assert not shares.touches(np.array([0]), np.array([0]), 5).any()
