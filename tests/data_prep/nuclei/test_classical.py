import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.nuclei_truth import MPP, cases
from data_prep.errors import InputError
from data_prep.nuclei import segment
from data_prep.synthetic import SyntheticSpec, synthesize
from tests.data_prep.nuclei.samples import PINK, disks, overlap

PLACES = [(20, 20), (70, 24), (30, 70), (75, 75)]


@pytest.mark.parametrize(("mpp", "radius"), [(0.25, 9), (0.4, 8), (0.5, 7), (0.5, 10), (1.0, 4)])
def test_round_nuclei_are_outlined_at_every_resolution(mpp, radius):
    image, truth = disks(PLACES, radius)
    labels = segment(image, mpp)
    assert labels.dtype == np.int32
    assert labels.shape == truth.shape
    assert sorted(np.unique(labels)) == [0, 1, 2, 3, 4]
    assert min(overlap(labels, truth, number) for number in range(1, 5)) > 0.75


def test_nuclei_of_different_darkness_beside_each_other():
    image, truth = disks(PLACES, 8)
    image[:, 48:] = 255 - (255 - image[:, 48:].astype(int)) // 2
    labels = segment(image, 0.5)
    assert labels.max() == 4
    assert min(overlap(labels, truth, number) for number in range(1, 5)) > 0.7


def test_nuclei_that_touch_are_two():
    image, _ = disks([(38, 48), (57, 48)], 10)
    assert segment(image, 0.5).max() == 2


def test_a_pale_middle_belongs_to_its_nucleus():
    image, truth = disks([(48, 48)], 12)
    _, inner = disks([(48, 48)], 5)
    image[inner > 0] = (image[inner > 0] + 2.0 * np.array(PINK)) / 3
    labels = segment(image, 0.5)
    assert labels.max() == 1
    assert overlap(labels, truth, 1) > 0.8


def test_nuclei_cut_by_the_border_count():
    image, _ = disks([(0, 40), (95, 60), (48, 48)], 9)
    assert segment(image, 0.5).max() == 3


@pytest.mark.parametrize("level", [0, 128, 243, 255])
def test_an_empty_patch_has_no_nuclei(level):
    assert segment(np.full((224, 224, 3), level, np.uint8), 0.25).max() == 0


def test_noise_on_glass_is_no_nucleus():
    noise = np.random.default_rng(3).normal(240, 3, (224, 224, 3)).clip(0, 255).astype(np.uint8)
    assert segment(noise, 0.25).max() == 0


def test_a_nucleus_larger_than_the_patch():
    """At 0.05 um a pixel a patch of 96 pixels lies inside of one nucleus: nothing has an outline."""
    image, _ = disks([(48, 48)], 90)
    assert segment(image, 0.05).shape == (96, 96)
    assert segment(image, 0.05).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (50, 1, 3), (2, 3, 3), (5, 300, 3)])
def test_the_smallest_and_narrowest_patches(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for mpp in (0.05, 0.25, 0.5, 1.0):
        assert segment(image, mpp).shape == shape[:2]


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))), st.floats(0.05, 1))
def test_any_pixels_give_numbers_without_gaps(image, mpp):
    labels = segment(image, mpp)
    assert labels.shape == image.shape[:2]
    np.testing.assert_array_equal(np.unique(np.append(labels, 0)), np.arange(labels.max() + 1))
    np.testing.assert_array_equal(segment(image, mpp), labels)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.uint16),
        np.zeros((8, 8, 3)),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_other_pixels_are_refused(image):
    with pytest.raises(InputError, match=r"\(h, w, 3\) uint8 RGB"):
        segment(image, 0.5)


@pytest.mark.parametrize("mpp", [0.0, -1.0, 1.5, np.nan, np.inf])
def test_other_resolutions_are_refused(mpp):
    with pytest.raises(InputError, match="um a pixel"):
        segment(np.zeros((8, 8, 3), np.uint8), mpp)


def test_counts_of_synthetic_tissue():
    block = next(synthesize(SyntheticSpec(patches=32, patients=16, size=224, mpp=0.25)))
    found = [segment(patch, 0.25).max() for patch in block.patches]
    assert np.corrcoef(found, block.concepts["ncount"])[0, 1] > 0.8


@pytest.mark.parametrize(("data_set", "least"), [("dsb2018", 0.94), ("monuseg", 0.95), ("pannuke", 0.94)])
def test_counts_of_real_tissue(shared, data_set, least):
    """A guard on the tuning halves; `benchmarks/nuclei.py` measures on the other ones."""
    some = list(cases(shared / "data", data_set, "tuning"))
    found = [segment(case.image, MPP[data_set]).max() for case in some]
    assert np.corrcoef(found, [case.count for case in some])[0, 1] > least
