import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.color import hed_from_rgb

from data_prep.errors import InputError
from data_prep.stain import HED, Macenko, draw_jitter, jitter_hed, jitter_stains
from tests.data_prep.stain.hard import HARD, PENS, pen_marked, stained

MATRICES = {"HED": HED, "Macenko": Macenko().target().matrix}


def expected(image, matrix, scale, shift) -> np.ndarray:
    """The formula of the module, on every pixel, in float64, not yet rounded."""
    matrix = matrix / np.linalg.norm(matrix, axis=0)
    density = -np.log((image.reshape(-1, 3) + 1.0) / 256).T
    amounts = np.linalg.lstsq(matrix, density, rcond=None)[0]
    weight = np.minimum(1, density.mean(axis=0) / 0.15)
    changed = density + matrix @ ((scale - 1)[:, None] * amounts + shift[:, None] * weight)
    return (256 * np.exp(-np.maximum(changed, 0)) - 1).T.reshape(image.shape)


@pytest.mark.parametrize("name", MATRICES)
def test_computes_the_formula(name) -> None:
    matrix, images = MATRICES[name], np.stack([stained(seed=0), stained(seed=1)])
    scales, shifts = draw_jitter(np.random.default_rng(3), 2, matrix.shape[1], 0.2)
    found = jitter_stains(images, matrix, scales, shifts)
    for image, result, scale, shift in zip(images, found, scales, shifts, strict=True):
        np.testing.assert_allclose(result, expected(image, matrix, scale, shift).clip(0), atol=0.51)
        np.testing.assert_array_equal(jitter_stains(image, matrix, scale[None], shift[None]), result)


def test_hed_is_the_matrix_of_scikit_image() -> None:
    ours = np.linalg.inv(HED.T)
    np.testing.assert_allclose(ours / ours[0, 0], hed_from_rgb / hed_from_rgb[0, 0], atol=1e-6)


def amounts(image, matrix) -> np.ndarray:
    return np.linalg.lstsq(matrix, -np.log((image.reshape(-1, 3) + 1.0) / 256).T, rcond=None)[0]


def test_half_as_much_hematoxylin() -> None:
    image, matrix = stained(), Macenko().target().matrix
    less = jitter_stains(image, matrix, [[0.5, 1]], [[0, 0]])
    before, after = amounts(image, matrix), amounts(less, matrix)
    positive = (before > 0).all(axis=0)  # what would be brighter than white is cut off
    np.testing.assert_allclose(after[0][positive].mean() / before[0][positive].mean(), 0.5, atol=0.02)
    np.testing.assert_allclose(after[1][positive].mean() / before[1][positive].mean(), 1, atol=0.02)


@pytest.mark.parametrize("name", MATRICES)
@given(arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.just(3))))
@settings(deadline=None)
def test_no_jitter_changes_nothing(name, images) -> None:
    stains = MATRICES[name].shape[1]
    ones, zeros = np.ones((len(images), stains)), np.zeros((len(images), stains))
    np.testing.assert_array_equal(jitter_stains(images, MATRICES[name], ones, zeros), images)


@given(st.integers(0, 1000), st.floats(0, 0.9))
def test_no_color_appears_on_white(seed, sigma) -> None:
    white = np.full((1, 3, 4, 3), 255, np.uint8)
    np.testing.assert_array_equal(jitter_hed(white, sigma, np.random.default_rng(seed)), white)


def test_nearly_white_background_hardly_changes() -> None:
    nearly = np.full((8, 8, 3), 250, np.uint8)
    for seed in range(20):
        changed = jitter_hed(nearly, 0.05, np.random.default_rng(seed))
        assert np.abs(changed.astype(int) - nearly).max() <= 4


@pytest.mark.parametrize("name", HARD)
def test_hard_patches_keep_their_shape_and_constant_ones_stay_constant(name) -> None:
    patch = HARD[name]
    changed = jitter_hed(patch, 0.2, np.random.default_rng(0))
    assert changed.shape == patch.shape
    assert changed.dtype == np.uint8
    if np.ptp(patch, axis=(0, 1)).max() == 0:
        assert np.ptp(changed, axis=(0, 1)).max() == 0


@pytest.mark.parametrize("pen", PENS)
def test_a_felt_pen_stays_another_color_than_tissue(pen) -> None:
    changed = jitter_hed(pen_marked(PENS[pen]), 0.1, np.random.default_rng(0)).astype(float)
    strongest = np.argmax(changed[20:36].mean(axis=(0, 1)))
    assert strongest == np.argmax(PENS[pen])


def test_the_same_generator_gives_the_same_patches() -> None:
    image = stained()
    one, other = (jitter_hed(image, 0.1, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (one != image).any()


@pytest.mark.parametrize("sigma", [-0.1, 1.0, np.nan])
def test_impossible_strengths_are_refused(sigma) -> None:
    with pytest.raises(InputError, match="from 0 to below 1"):
        draw_jitter(np.random.default_rng(0), 1, 2, sigma)


@pytest.mark.parametrize("scales", [[[1, 1]], [[1, 1, np.nan]], [1, 1, 1]])
def test_factors_of_other_shapes_are_refused(scales) -> None:
    with pytest.raises(InputError, match="finite factors of shape"):
        jitter_stains(stained(), HED, scales, [[0, 0, 0]])
