"""The gray-level concepts, step by step as scikit-image and OpenCV compute them."""

import cv2
import h5py
import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.util import img_as_ubyte

from data_prep.concepts import measure
from data_prep.concepts.texture import byte_luminance
from tests.data_prep.concepts.samples import nuclei, tissue
from tests.data_prep.concepts.test_cooccurrence import by_matrix

NAMES = ("full_contrast", "full_correlation", "nuclei_contrast", "nuclei_correlation")


def the_long_way(image, labels):
    full = by_matrix(img_as_ubyte(rgb2gray(image)), 1)
    # rcvtool converts BGR; a file of the original's that holds BGR gives the luminance that RGB gives here.
    inside = by_matrix(cv2.cvtColor(image[..., ::-1].copy(), cv2.COLOR_BGR2GRAY), 5, labels)
    return (*full, *inside)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [64, 224, 225])
def test_equal_to_scikit_image(seed, size):
    image, labels = tissue(seed, size), nuclei(seed, size)
    values = measure(image, labels, 0.25, NAMES)
    np.testing.assert_allclose(list(values.values()), the_long_way(image, labels), rtol=1e-9)


@pytest.mark.parametrize("file", ["cam16_patches.hdf5", "cam17_patches.hdf5"])
def test_equal_to_scikit_image_on_real_patches(shared, file):
    from data_prep.store import open_patches

    with open_patches(shared / "data" / "camelyon" / file) as patches:
        for number, image in enumerate(patches.read(0, len(patches))):
            labels = nuclei(number)
            values = measure(image, labels, 0.25, NAMES)
            np.testing.assert_allclose(list(values.values()), the_long_way(image, labels), rtol=1e-9)
            with h5py.File(shared / "data" / "camelyon" / file) as stored:
                row = patches.rows.iloc[number]
                bgr = stored[row["entry"]][row["patch_no"]]
            assert np.array_equal(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def test_luminance_is_rounded_as_scikit_image_rounds_it():
    # All colors of every fifth level, among them some hundred half-way between two levels of gray.
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    assert np.count_nonzero((colors @ np.array([2125, 7154, 721])) % 10000 == 5000) > 10
    assert np.array_equal(byte_luminance(colors), img_as_ubyte(rgb2gray(colors)))


def test_a_constant_patch():
    flat = np.full((32, 32, 3), 90, np.uint8)
    values = measure(flat, np.ones((32, 32), int), 0.25, NAMES)
    assert values == {
        "full_contrast": 0,
        "full_correlation": 1,
        "nuclei_contrast": 0,
        "nuclei_correlation": 1,
    }


def test_nuclei_narrower_than_the_distance_have_no_pairs():
    labels = np.zeros((32, 32), int)
    labels[3:9, 4:8] = 1
    values = measure(tissue(0, 32), labels, 0.25, NAMES)
    assert np.isnan([values["nuclei_contrast"], values["nuclei_correlation"]]).all()
    labels[3:9, 9:12] = 2  # a pair may lie in two nuclei
    assert np.isfinite(list(measure(tissue(0, 32), labels, 0.25, NAMES).values())).all()
