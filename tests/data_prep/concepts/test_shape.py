"""Shapes against `skimage.measure.regionprops`."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import regionprops

from data_prep.concepts import measure
from data_prep.concepts.hull import convex_areas
from data_prep.concepts.patch import Nuclei
from data_prep.concepts.shape import eccentricities, perimeters
from tests.data_prep.concepts.samples import nuclei, scattered, tissue

label_maps = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda shape: arrays(np.uint16, shape, elements=st.sampled_from([0, 0, 1, 2, 65535]))
)


def ours(labels):
    found = Nuclei.of(labels)
    columns = [found.areas, perimeters(found), convex_areas(found), eccentricities(found)]
    return np.stack([np.asarray(column, float) for column in columns], axis=1)


def theirs(labels):
    by_number = {region.label: region for region in regionprops(labels)}
    regions = [by_number[number] for number in pd.unique(labels[labels > 0])]
    return np.array([[r.area, r.perimeter, r.area_convex, r.eccentricity] for r in regions]).reshape(-1, 4)


@settings(max_examples=150, deadline=None)
@given(label_maps)
def test_any_labels(labels):
    np.testing.assert_allclose(ours(labels), theirs(labels), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_ellipses_and_scattered_pixels(seed):
    for labels in (nuclei(seed), scattered(seed, 40, 6, 0.05 + 0.08 * seed)):
        np.testing.assert_allclose(ours(labels), theirs(labels), rtol=1e-9, atol=1e-6)


def test_a_nucleus_as_large_as_the_patch():
    labels = np.full((50, 70), 9)
    np.testing.assert_allclose(ours(labels), theirs(labels), rtol=1e-9, atol=1e-6)
    assert ours(labels)[0, [0, 2]].tolist() == [3500, 3500]


def test_means_over_nuclei_and_their_units():
    labels = nuclei(3)
    values = measure(tissue(3), labels, 0.5)
    regions = regionprops(labels)
    area = np.array([region.area for region in regions])
    assert values["ncount"] == len(regions)
    assert values["ndensity"] == pytest.approx(len(regions) / (0.112 * 0.112))
    assert values["narea"] == pytest.approx(area.mean())
    assert values["narea_um2"] == pytest.approx(area.mean() / 4)
    assert values["narea_std"] == pytest.approx(area.std())
    assert values["narea_std_um2"] == pytest.approx(area.std() / 4)
    assert values["nperimeter"] == pytest.approx(np.mean([region.perimeter for region in regions]))
    assert values["nperimeter_um"] == pytest.approx(values["nperimeter"] / 2)
    assert values["nsolidity"] == pytest.approx(np.mean([region.solidity for region in regions]))
    assert values["neccentricity"] == pytest.approx(np.mean([region.eccentricity for region in regions]))


def test_a_disk_and_a_line():
    y, x = np.mgrid[:41, :41]
    disk = ((y - 20) ** 2 + (x - 20) ** 2 <= 15**2).astype(int)
    area, perimeter, convex, eccentricity = ours(disk)[0]
    assert area == pytest.approx(np.pi * 15**2, rel=0.01)
    assert perimeter == pytest.approx(2 * np.pi * 15, rel=0.05)
    assert 0.95 < area / convex < 1  # regionprops draws the hull around whole pixels
    assert eccentricity == pytest.approx(0, abs=1e-6)
    assert ours(np.ones((1, 9), int))[0].tolist() == [9, 7, 9, 1]  # its end pixels add no length
    assert ours(np.ones((1, 1), int))[0].tolist() == [1, 0, 1, 0]


def test_the_numbers_of_nuclei_do_not_matter():
    labels = nuclei(1).astype(np.int64)
    far = np.where(labels, 2**40 + 7 * labels, 0)
    assert measure(tissue(1), far, 0.25) == measure(tissue(1), labels, 0.25)
