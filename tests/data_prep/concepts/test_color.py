"""Stain, tissue and color against scikit-image and the formulas."""

import numpy as np
import pytest
from skimage.color import rgb2hed

from data_prep.concepts import measure
from data_prep.concepts.color import hematoxylin_density
from tests.data_prep.concepts.samples import nuclei, tissue

COLORS = ("hematoxylin_mean", "hematoxylin_entropy", "colorfulness")


def colors(image):
    return measure(image, None, None, COLORS)


@pytest.mark.parametrize("seed", range(3))
def test_hematoxylin_is_that_of_scikit_image(seed):
    image = np.maximum(tissue(seed), 1)
    density = hematoxylin_density(image)
    np.testing.assert_allclose(density, 6 * rgb2hed(image)[..., 0], atol=1e-9)
    assert colors(image)["hematoxylin_mean"] == pytest.approx(density.mean())


def test_black_is_dense_but_finite():
    black = np.zeros((4, 4, 3), np.uint8)
    assert np.array_equal(hematoxylin_density(black), hematoxylin_density(black + 1))
    assert colors(black)["hematoxylin_entropy"] == 0


def test_entropy_is_that_of_the_histogram():
    image = tissue(5)
    bins = np.minimum(np.floor(hematoxylin_density(image) / 0.01), 255)
    shares = np.unique(bins, return_counts=True)[1] / bins.size
    assert colors(image)["hematoxylin_entropy"] == pytest.approx(-(shares * np.log2(shares)).sum())
    half = np.full((2, 8, 3), 255, np.uint8)
    half[0] = 60, 40, 120
    assert colors(half)["hematoxylin_entropy"] == pytest.approx(1)


def test_colorfulness_is_hasler_and_suesstrunks():
    image = tissue(2)
    red, green, blue = np.moveaxis(image.astype(float), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert colors(image)["colorfulness"] == pytest.approx(expected, rel=1e-12)
    assert colors(np.full((5, 5, 3), 77, np.uint8))["colorfulness"] == 0
    assert colors(np.full((5, 5, 3), (255, 0, 0), np.uint8))["colorfulness"] == pytest.approx(
        0.3 * np.hypot(255, 127.5)
    )


def test_the_share_of_the_tissue_that_is_nuclei():
    image = np.full((10, 10, 3), 240, np.uint8)
    labels = np.zeros((10, 10), int)
    ratio = {"ntissue_ratio": 0.0}
    assert np.isnan(measure(image, labels, None, ratio)["ntissue_ratio"])
    image[:4, :, 1] = 205  # stained: 40 pixels
    image[4, :, 1] = 206  # just not
    assert measure(image, labels, None, ratio) == ratio
    labels[0, :] = 1
    assert measure(image, labels, None, ratio)["ntissue_ratio"] == pytest.approx(10 / 40)
    labels[9, :] = 2  # a pale nucleus is tissue too
    assert measure(image, labels, None, ratio)["ntissue_ratio"] == pytest.approx(20 / 50)


def test_nuclei_do_not_change_the_color():
    image = tissue(1)
    assert measure(image, nuclei(1), 0.25, COLORS) == colors(image)


def test_the_entropy_of_one_color_is_zero_without_a_sign():
    entropy = colors(np.full((8, 8, 3), 200, np.uint8))["hematoxylin_entropy"]
    assert str(entropy) == "0.0"
