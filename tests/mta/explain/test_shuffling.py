"""Shuffled values stay as alike within patients as true ones; tests on them are right as often as they should be."""

import numpy as np
import pytest

from mta.explain.shuffling import p_value, shuffled_columns, shuffled_rows

PATIENTS = np.repeat([f"p{number}" for number in range(10)], 8)


def within(values):
    """The share of the variance that lies within patients."""
    means = np.array([values[name == PATIENTS].mean() for name in np.unique(PATIENTS)])
    return ((values.reshape(10, 8) - means[:, None]) ** 2).sum() / ((values - values.mean()) ** 2).sum()


def test_patients_change_places_as_a_whole():
    generator = np.random.default_rng(0)
    effect = np.repeat(np.arange(10.0), 8)
    for _ in range(20):
        shuffled = effect[shuffled_rows(PATIENTS, generator)]
        assert within(shuffled) == 0
        assert sorted(shuffled) == sorted(effect)
    rows = np.arange(80.0)
    assert within(rows) == pytest.approx(within(rows[shuffled_rows(PATIENTS, generator)]))


def test_rows_change_places_within_patients():
    shuffled = np.tile(np.arange(8), 10)[shuffled_rows(PATIENTS, np.random.default_rng(0))]
    assert not (shuffled.reshape(10, 8) == np.arange(8)).all(axis=1).any()
    alone = shuffled_rows(np.zeros(20), np.random.default_rng(0))
    assert sorted(alone) == list(range(20))
    assert (alone != np.arange(20)).any()


def test_patients_of_different_size_and_scattered_rows():
    generator = np.random.default_rng(1)
    patients = np.array(["a"] * 5 + ["b"] * 2 + ["c"])[generator.permutation(8)]
    source = shuffled_rows(patients, generator)
    assert sorted(source) == list(range(8))


def test_columns_depend_on_the_seed_alone():
    values = np.arange(80.0)
    first, again = (shuffled_columns(values, PATIENTS, 3, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (shuffled_columns(values, PATIENTS, 3, seed=5) != first).any()
    assert shuffled_columns(values, PATIENTS, 0, seed=5).shape == (80, 0)


def test_p_value_counts_itself():
    null = np.arange(99.0)
    assert p_value(1000, null) == 0.01
    assert p_value(-1, null) == 1
    assert p_value(98, null) == 0.02
    assert np.isnan(p_value(float("nan"), null))
    assert np.isnan(p_value(1.0, null[:0]))


def test_patient_effects_alone_are_significant_as_often_as_chance_has_it():
    """Two unrelated variables that both vary by patient: shuffled by patient 5 % are significant, by row far more."""
    generator = np.random.default_rng(2)
    hits = {"patient": 0, "row": 0}
    for _ in range(200):
        x, y = (np.repeat(generator.normal(size=10), 8) + 0.3 * generator.normal(size=80) for _ in range(2))
        observed = abs(np.corrcoef(x, y)[0, 1])
        for kind, patients in (("patient", PATIENTS), ("row", np.arange(80))):
            shuffled = shuffled_columns(y, patients, 39, int(generator.integers(2**31)))
            null = np.abs([np.corrcoef(x, column)[0, 1] for column in shuffled.T])
            hits[kind] += p_value(observed, null) <= 0.05
    assert hits["patient"] <= 20
    assert hits["row"] >= 80
