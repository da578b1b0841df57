"""`measure` and `measure_many`: names, absent values, bad input."""

import math

import numpy as np
import pandas as pd
import pytest

from data_prep.concepts import BUILT_IN, ORIGINAL, UNITS, measure, measure_many
from data_prep.errors import InputError
from data_prep.store import make_rows
from tests.data_prep.concepts.samples import nuclei, tissue


def test_every_concept_is_a_float_in_the_order_of_the_catalog():
    values = measure(tissue(), nuclei(), 0.25)
    assert tuple(values) == tuple(UNITS) == tuple(BUILT_IN)
    assert set(ORIGINAL) < set(values)
    assert all(type(value) is float and math.isfinite(value) for value in values.values())


def test_without_nuclei_the_counts_are_zero_and_their_means_absent():
    values = measure(tissue(), np.zeros((224, 224), np.int32), 0.25)
    nuclear = {name for name, concept in BUILT_IN.items() if concept.needs_nuclei}
    zero = {"ncount", "ndensity", "ntissue_ratio"}
    assert {name for name, value in values.items() if value == 0} == zero
    assert {name for name, value in values.items() if math.isnan(value)} == nuclear - zero


@pytest.mark.parametrize("mpp", [None, math.nan])
def test_without_mpp_only_what_needs_it_is_absent(mpp):
    known, unknown = measure(tissue(), nuclei(), 0.25), measure(tissue(), nuclei(), mpp)
    needed = {name for name, concept in BUILT_IN.items() if concept.needs_mpp}
    assert needed == {"ndensity", "narea_um2", "narea_std_um2", "nperimeter_um"}
    assert {name for name, value in unknown.items() if math.isnan(value)} == needed
    assert {name: known[name] for name in set(known) - needed} == {name: unknown[name] for name in set(known) - needed}


def test_some_by_name_in_their_order():
    assert tuple(measure(tissue(), nuclei(), None, ("narea", "colorfulness"))) == ("narea", "colorfulness")
    assert measure(tissue(), nuclei(), None, ()) == {}
    with pytest.raises(InputError, match=r"there is no concept area, count; there are ncount, .*, and random"):
        measure(tissue(), nuclei(), None, ("area", "narea", "count"))


def test_pannukes_masks_hold_a_class_a_channel():
    mask = np.zeros((20, 20, 6), np.uint16)
    mask[0:3, 0:4, 0] = 1
    mask[5:10, 0:4, 4] = 1  # the same number, another nucleus
    mask[12:14, 2:9, 2] = 7
    mask[12:14, 4:9, 3] = 2  # behind the one before
    mask[..., 5] = 1  # background
    values = measure(tissue(0, 20), mask, 0.25, ("ncount", "narea"))
    assert values == {"ncount": 3, "narea": (12 + 20 + 14) / 3}


@pytest.mark.parametrize(
    ("image", "labels", "mpp", "message"),
    [
        (np.zeros((8, 8), np.uint8), None, 1, r"a patch is uint8 \(8, 8\); concepts are measured on RGB uint8"),
        (np.zeros((8, 8, 3), np.uint16), None, 1, "a patch is uint16"),
        (np.zeros((0, 8, 3), np.uint8), None, 1, r"a patch is uint8 \(0, 8, 3\)"),
        (
            np.zeros((8, 8, 3), np.uint8),
            np.zeros((8, 9), int),
            1,
            r"mask of nuclei is int64 \(8, 9\); expected integers",
        ),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8)), 1, "mask of nuclei is float64"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool), 1, "mask of nuclei is bool"),
        (np.zeros((8, 8, 3), np.uint8), np.full((8, 8), -1), 1, "negative numbers"),
        (np.zeros((8, 8, 3), np.uint8), None, 1, "need the labels of nuclei"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), int), 0, "mpp is 0; give micrometres a pixel above 0"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), int), math.inf, "mpp is inf"),
    ],
)
def test_bad_input(image, labels, mpp, message):
    with pytest.raises(InputError, match=message):
        measure(image, labels, mpp)


def test_many_patches_each_with_its_mpp():
    images, labels = np.stack([tissue(i) for i in range(3)]), np.stack([nuclei(i) for i in range(3)])
    rows = make_rows(3, {"mpp": [0.25, 0.5, np.nan]})
    table = measure_many(images, labels, rows)
    assert table.attrs["units"] == UNITS
    for number, row in table.iterrows():
        single = measure(images[number], labels[number], rows["mpp"][number])
        pd.testing.assert_series_equal(row, pd.Series(single), check_names=False)
    assert measure_many(images[:0], labels[:0], rows[:0]).shape == (0, len(UNITS))


def test_the_patch_at_fault_is_named():
    rows = make_rows(2, {"source": "cam16", "entry": "a/b", "patch_no": [4, 5], "mpp": [0.5, -1]})
    with pytest.raises(InputError, match=r"^patch cam16 a/b #5: mpp is -1"):
        measure_many(np.stack([tissue()] * 2), np.stack([nuclei()] * 2), rows)


def test_arrays_stay_as_they_are():
    image, labels = tissue(), nuclei()
    before = image.copy(), labels.copy()
    measure(image, labels, 0.25)
    assert np.array_equal(image, before[0])
    assert np.array_equal(labels, before[1])
    assert image.flags.writeable
    measure(image[::2, ::-1], labels[::2, ::-1], 0.25)  # views of any kind
