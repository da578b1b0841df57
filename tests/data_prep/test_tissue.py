import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.slides import open_slide
from data_prep.tissue import is_void, is_void_beyond, otsu_tissue, saturation_tissue

GLASS, PINK, PURPLE = (243, 242, 244), (225, 150, 190), (110, 60, 140)
BOTH = pytest.mark.parametrize("find", [otsu_tissue, saturation_tissue])


def overview(noise=3, seed=0):
    """Glass with a disc of pink tissue in which lie purple cells: (200, 260, 3) uint8, and the disc."""
    image = np.full((200, 260, 3), GLASS, float)
    rows, columns = np.indices((200, 260))
    disc = (rows - 100) ** 2 + (columns - 130) ** 2 < 70**2
    image[disc] = PINK
    image[disc & (rows % 9 < 4) & (columns % 9 < 4)] = PURPLE
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(image, 0, 254).astype(np.uint8), disc


def overlap(found, true):
    return (found & true).sum() / (found | true).sum()


def by_hand(image):
    """The original's rules step by step: every candidate threshold of 256 bins, then the opening by hand."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    values = np.where(gray == 255, 200.0, gray).ravel()
    values = values[(values != 255) & (values != 0)]
    counts, edges = np.histogram(values, 256)
    centers = (edges[1:] + edges[:-1]) / 2
    best, threshold = -1.0, 0.0
    for cut in range(255):
        low, high = counts[: cut + 1], counts[cut + 1 :]
        if low.sum() and high.sum():
            apart = (low @ centers[: cut + 1]) / low.sum() - (high @ centers[cut + 1 :]) / high.sum()
            variance = float(low.sum()) * float(high.sum()) * apart**2
            if variance > best * (1 + 1e-12):
                best, threshold = variance, centers[cut]
    threshold = 196 if threshold > 229 else threshold
    background = (gray > threshold) | (gray == 0)
    padded = np.pad(background, 2, constant_values=True)
    eroded = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).all((2, 3))
    padded = np.pad(eroded, 2, constant_values=False)
    return ~np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).any((2, 3))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), low=st.integers(0, 240), white=st.floats(0, 0.6), black=st.floats(0, 0.3))
def test_otsu_is_the_originals(seed, low, white, black):
    generator = np.random.default_rng(seed)
    image = cv2.GaussianBlur(generator.integers(0, 256, (40, 50, 3)).astype(np.uint8), (0, 0), 2)
    image = (low + (image.astype(int) - image.min()) * (255 - low) // max(1, np.ptp(image))).astype(np.uint8)
    image[generator.random((40, 50)) < white] = 255
    image[generator.random((40, 50)) < black] = 0
    np.testing.assert_array_equal(otsu_tissue(image), by_hand(image))


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "bcss_1019_pyramid.tif"])
def test_otsu_is_the_originals_on_real_slides(shared, name):
    with open_slide(shared / "data/slides" / name) as slide:
        image, _ = slide.overview(8.0)
    np.testing.assert_array_equal(otsu_tissue(image), by_hand(image))


@BOTH
def test_tissue_is_told_from_glass(find):
    image, disc = overview()
    assert overlap(find(image), disc) > 0.97


@BOTH
def test_white_that_was_not_scanned_and_black_are_no_tissue(find):
    image, disc = overview()
    image[:, :40], image[:, -40:] = 255, 0
    found = find(image)
    assert not found[:, :35].any()
    assert not found[:, -35:].any()
    assert overlap(found, disc) > 0.95


@BOTH
@pytest.mark.parametrize("value", [255, 0])
def test_nothing_scanned_is_no_tissue(find, value):
    assert not find(np.full((30, 40, 3), value, np.uint8)).any()


def test_glass_alone_has_no_saturated_tissue_and_tissue_alone_no_glass():
    glass, _ = overview()
    assert not saturation_tissue(glass[:25]).any()
    assert saturation_tissue(glass[70:130, 90:170]).all()


def test_a_light_threshold_is_capped():
    """Two light grays, 236 and 250: Otsu's threshold lies above 229, so 196 is taken and neither is tissue."""
    image = np.full((40, 40, 3), 236, np.uint8)
    image[20:] = 250
    assert not otsu_tissue(image).any()


def test_small_holes_in_tissue_are_closed():
    image = np.full((60, 60, 3), GLASS, np.uint8)
    image[10:50, 10:50] = PURPLE
    image[20:24, 20:24] = GLASS
    image[30:35, 30:35] = GLASS
    found = otsu_tissue(image)
    assert found[20:24, 20:24].all()
    assert not found[30:35, 30:35].any()


def test_specks_are_no_saturated_tissue():
    image = np.full((60, 60, 3), GLASS, np.uint8)
    image[10:14, 10:14] = PURPLE
    image[30:50, 30:50] = PURPLE
    found = saturation_tissue(image)
    assert not found[:25, :25].any()
    assert found[33:47, 33:47].all()


def test_the_two_agree_on_a_real_slide(shared):
    with open_slide(shared / "data/slides/CMU-1-Small-Region.svs") as slide:
        image, _ = slide.overview(8.0)
    otsu, saturation = otsu_tissue(image), saturation_tissue(image)
    assert 0.3 < otsu.mean() < 0.4
    assert overlap(otsu, saturation) > 0.8


def test_a_slide_of_tissue_alone_keeps_it_by_saturation(shared):
    with open_slide(shared / "data/slides/bcss_1019_pyramid.tif") as slide:
        image, _ = slide.overview(4.0)
    assert saturation_tissue(image).all()


def test_void_is_what_is_black_in_every_channel():
    pixels = np.array([[[0, 0, 0], [10, 10, 10], [10, 11, 10], [0, 0, 200]]], np.uint8)
    assert is_void(pixels).tolist() == [[True, True, False, False]]
    assert is_void(np.stack([pixels, pixels])).shape == (2, 1, 4)


@pytest.mark.parametrize("share", [0, 0.01, 0.5])
def test_more_void_than_a_share_is_counted_by_pixels_not_by_values(share):
    chance = np.random.default_rng(0)
    for dark in (0.0, 0.005, 0.0101, 0.3, 0.6):
        image = np.full((100, 100, 3), 120, np.uint8)
        image.reshape(-1, 3)[: round(dark * 10_000)] = 5
        image.reshape(-1, 3)[::2, 0] = chance.integers(0, 11, 5000)  # dark in one channel is no void
        assert is_void_beyond(image, share) == (is_void(image).mean() > share)
