"""Brightness, contrast, saturation and hue, each by itself and all together."""

import cv2
import numpy as np
import pytest

from mta.layers import ColorJitter
from tests.mta.layers.augmenting import augmented, check_augmentation, images

LUMA = np.array([0.299, 0.587, 0.114])
MIDDLE = np.random.default_rng(0).uniform(100, 150, (2, 8, 8, 3)).astype("float32")  # far from 0 and 255


def changed(batch=MIDDLE, brightness=1.0, contrast=1.0, saturation=1.0, hue=0.0):
    values = (np.full(len(batch), value) for value in (brightness, contrast, saturation, hue))
    return np.asarray(ColorJitter().transform(batch.astype("float32"), *values))


def test_contract(tmp_path):
    check_augmentation(ColorJitter, tmp_path, hue=0.1)


def test_no_change_is_the_identity():
    np.testing.assert_allclose(changed(images()), images(), atol=2e-4)


def test_brightness_multiplies_and_is_cut_off_at_white():
    np.testing.assert_allclose(changed(brightness=1.1), 1.1 * MIDDLE, rtol=1e-5)
    np.testing.assert_allclose(changed(images(), brightness=1.5), (1.5 * images()).clip(0, 255), rtol=1e-5, atol=1e-3)


def test_contrast_is_about_the_mean_luma_of_the_image():
    mean = (MIDDLE @ LUMA).mean(axis=(1, 2))[:, None, None, None]
    np.testing.assert_allclose(changed(contrast=0.5), mean + 0.5 * (MIDDLE - mean), rtol=1e-5)
    assert np.ptp(changed(contrast=0.0)[0]) < 1e-3


def test_saturation_is_about_the_luma_of_the_pixel():
    luma = (MIDDLE @ LUMA)[..., None]
    np.testing.assert_allclose(changed(saturation=1.3), luma + 1.3 * (MIDDLE - luma), rtol=1e-4)


def test_hue_keeps_luma_and_comes_round_in_a_turn():
    turned = changed(hue=0.1)
    assert np.abs(turned - MIDDLE).max() > 5
    np.testing.assert_allclose(turned @ LUMA, MIDDLE @ LUMA, rtol=1e-4)
    np.testing.assert_allclose(changed(hue=1.0), MIDDLE, rtol=1e-4)
    gray = np.full((1, 2, 2, 3), 90.0, "float32")
    np.testing.assert_allclose(changed(gray, hue=0.3), gray, rtol=1e-5)


def test_a_third_of_a_turn_makes_red_green_or_blue():
    red = np.full((1, 1, 1, 3), (200, 100, 100), "float32")
    hues = [cv2.cvtColor(changed(red, hue=hue)[0], cv2.COLOR_RGB2HSV)[0, 0, 0] for hue in (1 / 3, -1 / 3)]
    assert sorted(round(float(hue) / 120) for hue in hues) == [1, 2]  # degrees: green 120, blue 240


def test_brightness_then_contrast_then_saturation_then_hue():
    expected = MIDDLE
    for step in ({"brightness": 1.1}, {"contrast": 0.8}, {"saturation": 1.2}, {"hue": 0.05}):
        expected = changed(expected, **step)
    np.testing.assert_allclose(changed(brightness=1.1, contrast=0.8, saturation=1.2, hue=0.05), expected, rtol=1e-4)


def test_draws_are_uniform_in_their_ranges_and_independent():
    drawn = np.stack(ColorJitter(0.1, 0.2, 0.3, 0.4, seed=1).draw(20_000))
    centres, reaches = np.array([1, 1, 1, 0]), np.array([0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(drawn.mean(axis=1), centres, atol=0.008)
    np.testing.assert_allclose(drawn.std(axis=1), reaches / np.sqrt(3), rtol=0.03)
    assert (np.abs(drawn - centres[:, None]).max(axis=1) <= reaches + 1e-6).all()
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.03


def test_the_mean_over_many_draws_is_near_the_image():
    tissue = np.full((2000, 2, 2, 3), (150, 110, 140), "uint8")
    np.testing.assert_allclose(augmented(ColorJitter(seed=1), tissue).mean(axis=(0, 1, 2)), (150, 110, 140), atol=3)


@pytest.mark.parametrize("arguments", [{"brightness": 1.1}, {"contrast": -0.1}, {"saturation": 2}, {"hue": 0.6}])
def test_refuses_ranges_that_mean_nothing(arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))} must be from 0 to"):
        ColorJitter(**arguments)
