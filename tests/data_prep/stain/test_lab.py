import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data_prep.errors import InputError
from data_prep.stain import standardize_brightness, statistics
from data_prep.stain.lab import as_pixels, bright_level, color_tables, convert, from_codes, map_channels, to_codes

LAB = arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.just(3)))


@given(LAB)
def test_bright_level_is_numpys_percentile(lab: np.ndarray) -> None:
    for pixels in lab:
        assert bright_level(to_codes(pixels)) == pytest.approx(np.percentile(pixels[..., 0], 95), abs=1e-9)


def test_golden_brightness(shared) -> None:
    with np.load(shared / "golden" / "original_stain.npz") as golden:
        for key in [key for key in golden.files if key.endswith("/brightness")]:
            image = golden[key.replace("brightness", "image")]
            np.testing.assert_array_equal(standardize_brightness(image), golden[key])


def test_brightness_moves_the_95th_percentile_to_white() -> None:
    gray = np.full((10, 10, 3), 120, np.uint8)
    gray[:5] = 60
    bright = standardize_brightness(gray)
    assert (bright[5:] == 255).all()
    assert (bright[:5] < 160).all()
    assert (bright[:5] > 110).all()


def test_color_tables_are_opencvs_conversions() -> None:
    colors = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    rgb = cv2.cvtColor(colors, cv2.COLOR_LAB2RGB)
    tables, codes = color_tables(), to_codes(colors)
    np.testing.assert_array_equal(from_codes(tables.rgb[codes]), rgb)
    np.testing.assert_array_equal(from_codes(tables.lab[codes]), cv2.cvtColor(colors, cv2.COLOR_RGB2LAB))
    np.testing.assert_array_equal(from_codes(tables.again[codes]), cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_converts_in_place(colors: np.ndarray) -> None:
    codes = to_codes(colors)
    convert(codes, color_tables().lab)
    np.testing.assert_array_equal(from_codes(codes), cv2.cvtColor(colors, cv2.COLOR_RGB2LAB))


def test_map_channels_looks_each_channel_up_clips_and_truncates() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (16, 17, 3), dtype=np.uint8)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    codes, levels = to_codes(lab), np.arange(256)
    maps = np.stack([1.7 * levels - 40, 300.5 - levels, levels / 2])
    map_channels(codes, maps)
    expected = np.stack([np.clip(maps[i][lab[..., i]], 0, 255).astype(np.uint8) for i in range(3)], axis=-1)
    np.testing.assert_array_equal(from_codes(codes), expected)


def test_lab_of_rgb_never_has_the_level_that_marks_the_second_half() -> None:
    tables = color_tables()
    for table in (tables.lab, tables.again):
        assert as_pixels(table[None])[..., 1].max() < 255


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
