import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data_prep.errors import InputError
from data_prep.stain import standardize_brightness, statistics
from data_prep.stain.lab import bright_level, color_tables

LAB = arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.just(3)))


@given(LAB)
def test_bright_level_are_numpys_percentile(lab: np.ndarray) -> None:
    for light in np.ascontiguousarray(lab[..., 0]):
        assert bright_level(light) == pytest.approx(np.percentile(light, 95), abs=1e-9)


def test_golden_brightness(shared) -> None:
    with np.load(shared / "golden" / "original_stain.npz") as golden:
        for key in [key for key in golden.files if key.endswith("/brightness")]:
            image = golden[key.replace("brightness", "image")]
            np.testing.assert_array_equal(standardize_brightness(image), golden[key])


def test_brightness_moves_the_95th_percentile_to_white() -> None:
    grey = np.full((10, 10, 3), 120, np.uint8)
    grey[:5] = 60
    bright = standardize_brightness(grey)
    assert (bright[5:] == 255).all()
    assert (bright[:5] < 160).all()
    assert (bright[:5] > 110).all()


def test_color_tables_are_opencvs_conversions() -> None:
    weights = [1, 2**8, 2**16]
    lab = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    there = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    back = cv2.cvtColor(there, cv2.COLOR_RGB2LAB)
    tables = color_tables()
    np.testing.assert_array_equal(tables.rgb[lab.astype(int) @ weights], there.astype(int) @ weights)
    np.testing.assert_array_equal(tables.lab[there.astype(int) @ weights], back.astype(int) @ weights)
    np.testing.assert_array_equal(tables.again[lab.astype(int) @ weights], back.astype(int) @ weights)


def test_statistics_of_known_colors() -> None:
    half = np.zeros((2, 2, 3), np.uint8)
    half[0] = 255
    means, stds = statistics(half)  # black has L = 0, white L = 100; neither has color
    np.testing.assert_allclose(means, [[50, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(stds, [[50, 0, 0]], atol=1e-6)


def test_statistics_of_a_batch_are_those_of_its_patches(patches) -> None:
    means, stds = statistics(patches)
    assert means.shape == stds.shape == (len(patches), 3)
    for patch, mean, std in zip(patches, means, stds, strict=True):
        np.testing.assert_array_equal(statistics(patch), [mean[None], std[None]])


def test_statistics_are_finite_for_black_and_white() -> None:
    flat = np.stack([np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)])
    means, stds = statistics(flat)
    assert np.isfinite(means).all()
    np.testing.assert_array_equal(stds, 0)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (1, 1, 4, 4, 3), (4, 0, 3)])
def test_wrong_shapes_are_refused(shape) -> None:
    with pytest.raises(InputError, match="stain normalization was given"):
        statistics(np.zeros(shape, np.uint8))


def test_floats_are_refused() -> None:
    with pytest.raises(InputError, match="give RGB uint8"):
        standardize_brightness(np.zeros((4, 4, 3)))
