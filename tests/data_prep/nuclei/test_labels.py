import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.measure import regionprops
from skimage.segmentation import relabel_sequential

from data_prep.nuclei import merge_classes, renumber, without_border
from data_prep.nuclei.labels import split_parts

MAPS = arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 9))


@given(MAPS, st.sampled_from([1, 700]))
def test_renumbering_is_that_of_scikit_image(labels, factor):
    expected, _, _ = relabel_sequential(labels.astype(np.int64) * factor)
    result = renumber(labels.astype(np.int64) * factor)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, expected)


def test_renumbering_without_background():
    np.testing.assert_array_equal(renumber(np.array([[900, 700]])), [[2, 1]])
    np.testing.assert_array_equal(renumber(np.array([[2, 1]])), [[2, 1]])


@given(MAPS)
def test_nuclei_at_the_border_are_dropped(labels):
    kept = np.zeros(labels.shape, np.int64)
    for nucleus in regionprops(labels.astype(np.int64)):
        top, left, bottom, right = nucleus.bbox
        if top and left and bottom < labels.shape[0] and right < labels.shape[1]:
            kept[labels == nucleus.label] = nucleus.label
    np.testing.assert_array_equal(without_border(labels), renumber(kept))


def test_the_classes_of_pannuke_become_one_map():
    masks = np.zeros((2, 3, 6))
    masks[0, 0, 0], masks[0, 1, 0] = 4, 9
    masks[0, 1, 2], masks[0, 2, 2] = 4, 4  # a pixel of two classes goes to the first
    masks[1, :, 5] = 1  # background
    np.testing.assert_array_equal(merge_classes(masks), [[1, 2, 3], [0, 0, 0]])
    assert merge_classes(np.zeros((2, 2, 6))).max() == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_of_a_mask(seed):
    mask = np.random.default_rng(seed).random((20, 20)) < 0.3
    expected, count = ndimage.label(mask, np.ones((3, 3)))
    parts = split_parts(mask.astype(np.int32) * 7)
    assert parts.max() == count
    np.testing.assert_array_equal(parts > 0, expected > 0)
    pairs = np.unique(np.stack([parts.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(expected))
