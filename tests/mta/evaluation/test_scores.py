import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error, r2_score, roc_auc_score

from mta.evaluation import auc, auc_by_patient, domain_metrics, mse, patients_of, r2


@given(
    st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(-4, 4)), min_size=2, max_size=60).filter(
        lambda pairs: {0, 1} <= {label for label, _ in pairs}
    )
)
def test_auc_equals_scikit_learns_with_ties_and_unlabelled_rows(pairs):
    labels, scores = np.array(pairs).T
    known = labels >= 0
    assert auc(labels, scores / 3) == pytest.approx(roc_auc_score(labels[known], scores[known]), abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "scores", "area"),
    [
        ([0, 1], [0.2, 0.8], 1.0),
        ([0, 1], [0.8, 0.2], 0.0),
        ([0, 1, 0, 1], [5, 5, 5, 5], 0.5),
        ([0, 0, 1, 1], [1, 3, 2, 4], 0.75),
        ([[0], [1], [-1]], [[0.0], [1.0], [np.nan]], 1.0),
    ],
)
def test_auc_known_answers(labels, scores, area):
    assert auc(labels, scores) == area


@pytest.mark.parametrize(("labels", "scores"), [([1, 1], [0, 1]), ([0, -1], [0, 1]), ([], []), ([0, 1], [np.nan, 1])])
def test_auc_is_nan_where_it_has_no_meaning(labels, scores):
    assert np.isnan(auc(labels, scores))


def test_a_patient_is_tumor_if_any_patch_is_and_scores_the_mean():
    labels = [0, 0, 1, 0, -1, -1]
    scores = [1.0, 3.0, 5.0, -1.0, 99.0, 7.0]
    patients = ["a", "a", "b", "b", "b", "c"]
    patient_labels, patient_scores = patients_of(labels, scores, patients)
    assert patient_labels.tolist() == [0, 1]
    assert patient_scores.tolist() == [2.0, 2.0]
    assert auc_by_patient(labels, scores, patients) == 0.5
    assert np.isnan(auc_by_patient([-1], [0.0], ["a"]))


def test_r2_and_mse_equal_scikit_learns_on_the_rows_that_have_both():
    generator = np.random.default_rng(0)
    true = generator.normal(3, 2, 50)
    predicted = true + generator.normal(0, 1, 50)
    assert r2(true, predicted) == pytest.approx(r2_score(true, predicted), abs=1e-12)
    assert mse(true, predicted) == pytest.approx(mean_squared_error(true, predicted), abs=1e-12)
    gaps = true.copy()
    gaps[::3] = np.nan
    kept = ~np.isnan(gaps)
    assert r2(gaps, predicted) == pytest.approx(r2_score(true[kept], predicted[kept]), abs=1e-12)
    assert mse(predicted, gaps) == pytest.approx(mean_squared_error(true[kept], predicted[kept]), abs=1e-12)


def test_r2_and_mse_without_meaning_are_nan():
    assert np.isnan(r2([2, 2, 2], [1, 2, 3]))
    assert np.isnan(r2([1], [1]))
    assert np.isnan(mse([np.nan], [1.0]))
    assert mse([2, 2, 2], [1, 2, 3]) == pytest.approx(2 / 3)


def test_domain_accuracy_is_over_rows_of_seen_centres():
    metrics = domain_metrics([0, 0, 0, 1, -1, -1], [0, 0, 1, -1, 0, 1], classes=4)
    assert metrics == {"accuracy": 0.5, "chance": 0.25, "majority": 0.75}
    nothing = domain_metrics([-1], [0], classes=0)
    assert all(np.isnan(value) for value in nothing.values())
