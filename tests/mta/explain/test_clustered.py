"""Intervals over patients: leaving one out is what it says, and they hold the truth about as often as they claim."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, r2_score

from mta.evaluation.jackknife import jackknife_variance
from mta.explain.clustered import accuracies, leave_one_out_sums, mean_interval, r2_interval, unexplained


def clustered(generator, patients=12, rows=6, effect=0.5):
    names = np.repeat([f"p{number:02d}" for number in range(patients)], rows)
    true = generator.normal(5000, 1, patients * rows)
    predicted = true + effect * np.repeat(generator.normal(size=patients), rows) + generator.normal(size=len(true))
    return true, predicted, names


def test_leaving_a_patient_out_is_computing_without_it():
    true, predicted, patients = clustered(np.random.default_rng(0))
    ratio = unexplained(true, predicted, patients)
    assert 1 - ratio[0] == pytest.approx(r2_score(true, predicted))
    for place, name in enumerate(np.unique(patients), 1):
        left = patients != name
        assert 1 - ratio[place] == pytest.approx(r2_score(true[left], predicted[left]))
    assert leave_one_out_sums(np.ones(72), patients).tolist() == [72] + [66] * 12


def test_r2_interval_is_t_on_the_logarithm():
    true, predicted, patients = clustered(np.random.default_rng(1))
    low, high = r2_interval(true, predicted, patients)
    value = r2_score(true, predicted)
    assert low < value < high < 1
    assert np.log(1 - low) + np.log(1 - high) == pytest.approx(2 * np.log(1 - value))
    variance, freedom = jackknife_variance(np.log(unexplained(true, predicted, patients)[1:]), np.zeros(12, int))
    assert freedom == pytest.approx(11)
    assert (np.log(1 - low) - np.log(1 - high)) / 2 == pytest.approx(2.201 * np.sqrt(variance), rel=1e-3)


def test_r2_intervals_hold_the_truth():
    """Population R2 = 1 - (0.5^2 + 1) / 1 = -0.25, 20 patients of 6 rows."""
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        low, high = r2_interval(*clustered(generator, patients=20))
        held += low <= -0.25 <= high
    assert 0.91 <= held / 400 <= 0.98


def test_intervals_that_cannot_be_are_nan():
    true, predicted, patients = clustered(np.random.default_rng(3))
    assert np.isnan(r2_interval(true, true, patients)).all()
    two = np.isin(patients, ["p00", "p01"])
    assert np.isnan(r2_interval(true[two], predicted[two], patients[two])).all()
    assert np.isnan(mean_interval(true[:6], patients[:6])).all()


def test_mean_interval_of_equal_patients_is_that_of_their_means():
    _, values, patients = clustered(np.random.default_rng(4))
    means = values.reshape(12, 6).mean(axis=1)
    half = 2.201 * means.std(ddof=1) / np.sqrt(12)
    np.testing.assert_allclose(mean_interval(values, patients), [means.mean() - half, means.mean() + half], rtol=1e-4)


def test_accuracies_are_those_of_scikit_learn():
    generator = np.random.default_rng(5)
    patients = np.repeat([f"p{number}" for number in range(12)], 5)
    true = np.repeat(["a", "b", "c", "a", "b", "c", "a", "a", "a", "a", "b", "c"], 5)
    predicted = np.where(generator.random(60) < 0.7, true, "a")
    found = accuracies(true, predicted, patients)
    assert found["accuracy"][0] == pytest.approx((true == predicted).mean())
    assert found["balanced_accuracy"][0] == pytest.approx(balanced_accuracy_score(true, predicted))
    for value, (low, high) in found.values():
        assert 0 < low < value < high < 1


def test_accuracies_without_anything_to_vary():
    names, patients = np.array(["a", "b", "a", "b"]), np.array(["p", "q", "p", "q"])
    value, interval = accuracies(names, names, patients)["accuracy"]
    assert value == 1
    assert np.isnan(interval).all()
    value, interval = accuracies(names, np.array(["a", "b", "b", "b"]), patients)["balanced_accuracy"]
    assert value == 0.75
    assert np.isnan(interval).all()  # one patient of each centre
