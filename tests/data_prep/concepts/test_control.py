"""The control concept."""

import numpy as np
import pytest
from scipy import stats

from data_prep.concepts import random_concept
from data_prep.store import make_rows


def addressed(count):
    return make_rows(count, {"source": "a", "entry": [f"{i}.png" for i in range(count)]})


def test_standard_normal():
    values = random_concept(addressed(5000), 3)
    assert values.shape == (5000,)
    assert stats.kstest(values, "norm").pvalue > 0.01


def test_fixed_by_seed_and_address_not_by_the_order_of_rows():
    rows = addressed(50)
    shuffled = rows.sample(frac=1, random_state=0)
    values = random_concept(rows, 3)
    np.testing.assert_array_equal(random_concept(rows, 3), values)
    np.testing.assert_array_equal(random_concept(shuffled.reset_index(drop=True), 3), values[shuffled.index])
    assert abs(np.corrcoef(values, random_concept(rows, 4))[0, 1]) < 0.5
    assert not np.isin(values, random_concept(rows, 4)).any()


@pytest.mark.parametrize("column", ["source", "entry", "patch_no", "slide", "x", "y"])
def test_every_part_of_the_address_counts(column):
    rows = make_rows(2, {column: ["a", "b"] if column in ("source", "entry", "slide") else [1, 2]})
    swapped = rows.iloc[::-1].reset_index(drop=True)
    first, second = random_concept(rows, 0)
    assert first != second
    np.testing.assert_array_equal(random_concept(swapped, 0), [second, first])


def test_patches_without_an_address_still_differ():
    assert len(set(random_concept(make_rows(100), 0))) == 100
