import numpy as np
import pytest

from data_prep.nuclei.choice import LEAST_QUALITY
from data_prep.nuclei.chromatin import chromatin
from data_prep.nuclei.classical import kinds, measure
from data_prep.nuclei.quality import TRUST, USUAL, WEIGHTS, compare, describe, expect, rate, usual
from data_prep.synthetic import SyntheticSpec, synthesize

NUCLEUS = (1.0, 0.25, 1.0, 0.4, 0.7, 0.0, 0.8, *USUAL)


@pytest.fixture(scope="module")
def patch():
    return next(synthesize(SyntheticSpec(patches=16, patients=15, size=128, mpp=0.5))).patches[3]


@pytest.fixture(scope="module")
def regions(patch):
    return [one for level, growth, _, split in measure(chromatin(patch, 0.5)) for one in kinds(level, growth, split)]


def test_the_traits_of_a_region_are_those_of_its_pixels(patch, regions):
    density = chromatin(patch, 0.5).density
    level, growth = regions[9]
    traits = describe(level, growth)
    assert traits.shape == (len(level.area), len(WEIGHTS))
    own = level.labels == 1
    assert traits[0, 7] == pytest.approx(density[own].mean(), rel=1e-5)
    assert traits[0, 8] == pytest.approx(np.log(own.sum() / 4))
    np.testing.assert_allclose(traits[:, 4], growth**3)


def test_the_quality_is_the_weighted_terms(regions):
    parts = [describe(level, growth) for level, growth in regions]
    qualities, nucleus = rate(regions)
    np.testing.assert_array_equal(nucleus, usual(np.concatenate(parts)))
    for traits, quality in zip(parts, qualities, strict=True):
        inside = (traits[:, 8] > np.log(2)) & (traits[:, 8] < np.log(400))
        np.testing.assert_allclose(quality, np.where(inside, compare(traits, nucleus) @ WEIGHTS, 0))


def test_only_paler_and_smaller_than_usual_counts_against_a_region():
    traits = np.array([NUCLEUS] * 5)
    traits[1:3, 7] *= (0.45, 2)
    traits[3:, 8] += (-2, 1)
    terms = compare(traits, USUAL)
    np.testing.assert_allclose(terms[:, 7], [1, 0.45, 1, 1, 1])
    np.testing.assert_allclose(terms[:, 8], [0, 0, 0, -2, 0])
    np.testing.assert_array_equal(terms[:, :7], traits[:, :7])


def test_the_usual_nucleus_is_that_of_the_patch():
    pale, shadow = np.array(NUCLEUS), np.array(NUCLEUS)
    pale[7:] = 0.7, np.log(50)
    shadow[[1, 2, 3]] = 0  # no edge, no shape, no blue
    assert expect(shadow[None], USUAL)[0] < LEAST_QUALITY < expect(pale[None], USUAL)[0]
    np.testing.assert_allclose(usual(np.array([pale] * 400 + [shadow] * 500)), [0.7, np.log(50)], atol=0.02)


def test_without_nuclei_the_usual_one_is_the_known_one():
    np.testing.assert_allclose(usual(np.zeros((0, 9))), USUAL)
    one = np.array(NUCLEUS)
    one[7] = 0.5
    weight = (expect(one[None], USUAL)[0] - LEAST_QUALITY) ** 2
    expected = (weight * 0.5 + TRUST * USUAL[0]) / (weight + TRUST)
    np.testing.assert_allclose(usual(one[None]), [expected, USUAL[1]])


def test_a_pale_region_is_rated_lower_among_dark_nuclei():
    pale = np.array(NUCLEUS)
    pale[7] = 0.5
    among_dark = usual(np.array([NUCLEUS] * 50))
    among_pale = usual(np.array([pale] * 50))
    assert expect(pale[None], among_dark)[0] < expect(pale[None], among_pale)[0] - 0.1
