"""Pair moments against scikit-image's matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.feature import graycomatrix, graycoprops

from data_prep.concepts.cooccurrence import pair_texture


def by_matrix(gray, distance, inside=None):
    """As rcvtool has it: what lies outside is level 256, and cut off the matrix."""
    levels = gray.astype(int) if inside is None else np.where(inside > 0, gray.astype(int), 256)
    matrix = graycomatrix(levels, [distance], [0], 257, symmetric=True, normed=True)[:256, :256]
    return tuple(graycoprops(matrix, name)[0, 0] for name in ("contrast", "correlation"))


shapes = st.tuples(st.integers(1, 12), st.integers(6, 20))
grays = shapes.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255)))


@settings(max_examples=60, deadline=None)
@given(grays, st.sampled_from([1, 5]))
def test_equal_to_scikit_image(gray, distance):
    np.testing.assert_allclose(pair_texture(gray, distance), by_matrix(gray, distance), rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(grays, st.integers(0, 2**32 - 1), st.sampled_from([1, 5]))
def test_equal_to_scikit_image_inside_a_mask(gray, seed, distance):
    inside = (np.random.default_rng(seed).random(gray.shape) < 0.7).astype(np.uint8) * 255
    found = pair_texture(gray, distance, inside)
    if np.isnan(found).any():
        assert by_matrix(gray, distance, inside) == (0, 1)
    else:
        np.testing.assert_allclose(found, by_matrix(gray, distance, inside), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("spread", [2, 10, 256])
def test_equal_on_large_images(spread):
    random = np.random.default_rng(spread)
    gray = random.integers(256 - spread, 256, (224, 224)).astype(np.uint8)
    inside = (random.random(gray.shape) < 0.3).astype(np.uint8) * 255
    np.testing.assert_allclose(pair_texture(gray, 1), by_matrix(gray, 1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pair_texture(gray, 5, inside), by_matrix(gray, 5, inside), rtol=1e-9, atol=1e-12)


def test_the_largest_sums_stay_exact():
    gray = np.full((4096, 4096), 255, np.uint8)
    assert pair_texture(gray, 1) == (0, 1)
    gray[0, 0] = 0
    pairs = 4096 * 4095
    assert pair_texture(gray, 1)[0] == 255**2 / pairs
    assert pair_texture(gray, 1)[1] == pytest.approx(-1 / (2 * pairs - 1), rel=1e-9)


def test_a_constant_image_correlates_with_itself():
    assert pair_texture(np.full((3, 9), 7, np.uint8), 1) == (0, 1)


def test_two_levels_by_hand():
    # Pairs (0, 2) and (2, 2): contrast 4/2; both ways mean 1.5, variance 0.75, covariance -0.25.
    assert pair_texture(np.array([[0, 2, 2]], np.uint8), 1) == (2, pytest.approx(-1 / 3))


def test_without_a_pair_nothing_is_known():
    gray = np.arange(12, dtype=np.uint8).reshape(2, 6)
    alone = np.zeros_like(gray)
    alone[0, 0], alone[1, 5] = 255, 255
    assert np.isnan(pair_texture(gray, 5, alone)).all()
    assert np.isnan(pair_texture(gray[:, :4], 5)).all()
    assert np.isnan(pair_texture(gray[:, :4], 5, alone[:, :4])).all()
    assert np.isnan(pair_texture(gray[:, :5], 5, alone[:, :5])).all()
