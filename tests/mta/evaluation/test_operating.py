import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import recall_score, roc_curve

from data_prep.errors import InputError
from mta.evaluation import patients_of
from mta.evaluation.bootstrap import cluster_strata, resample_counts
from mta.evaluation.operating import operating_point, threshold_at_specificity, youden_threshold
from tests.mta.evaluation.test_bootstrap import make_case


@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_threshold_is_the_lowest_that_reaches_the_specificity(wanted, decimals):
    labels, scores, _ = make_case(np.random.default_rng(0), decimals=decimals)
    threshold, normal = threshold_at_specificity(labels, scores, wanted), scores[labels == 0]
    assert (normal <= threshold).mean() >= wanted
    lower = normal[normal < threshold]
    assert len(lower) == 0 or (normal <= lower.max()).mean() < wanted


def test_youden_threshold_reaches_the_best_point_of_scikit_learns_curve():
    for seed in range(5):
        labels, scores, _ = make_case(np.random.default_rng(seed))
        false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
        called = scores > youden_threshold(labels, scores)
        youden = recall_score(labels, called) + recall_score(labels, called, pos_label=0) - 1
        assert youden == pytest.approx((true - false).max())


def test_of_equally_good_thresholds_the_highest_is_taken():
    assert youden_threshold([0, 1, 0, 1], [1, 2, 3, 4]) == 3


def test_point_equals_scikit_learn_and_its_intervals_the_naive_loop():
    labels, scores, patients = make_case(np.random.default_rng(1))
    point = operating_point(labels, scores, patients, 0.6, n=80, seed=4)
    called, names, shares = scores > 0.6, np.unique(patients), []
    assert point.sensitivity == pytest.approx(recall_score(labels, called))
    assert point.specificity == pytest.approx(recall_score(labels, called, pos_label=0))
    for row in np.concatenate(list(resample_counts(cluster_strata(labels, patients), 80, 4, 7))):
        rows = np.concatenate([np.flatnonzero(patients == name) for name in np.repeat(names, row)])
        shares.append([recall_score(labels[rows], called[rows], pos_label=kind) for kind in (1, 0)])
    expected = np.quantile(shares, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([point.sensitivity_interval, point.specificity_interval], expected.T)


def test_by_patient_the_interval_is_about_that_of_a_proportion():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    point = operating_point(labels, labels + generator.normal(0, 1, 400), np.arange(400), 0.5)
    hits = point.sensitivity * 200
    exact = beta.ppf([0.025, 0.975], [hits, hits + 1], [201 - hits, 200 - hits])
    np.testing.assert_allclose(point.sensitivity_interval, exact, atol=0.015)


def test_patients_are_decided_by_the_mean_of_their_patches():
    labels, scores, patients = [0, 0, 1, 0, 1], [0.2, 0.4, 0.9, 0.3, 0.1], ["a", "a", "b", "b", "c"]
    truth, chances = patients_of(labels, scores, patients)
    np.testing.assert_allclose(chances, [0.3, 0.6, 0.1])
    point = operating_point(truth, chances, np.arange(3), 0.5, n=50)
    assert (point.sensitivity, point.specificity) == (0.5, 1.0)


def test_bad_input_is_one_line():
    with pytest.raises(InputError, match="specificity 95"):
        threshold_at_specificity([0, 1], [0.1, 0.9], 95)
    with pytest.raises(InputError, match="rows is tumor"):
        youden_threshold([0, 0], [0.1, 0.9])
    with pytest.raises(InputError, match="all rows are of one patient"):
        operating_point([0, 1, -1], [0.1, 0.9, 0.3], ["a", "a", "b"], 0.5)
    with pytest.raises(InputError, match="1 of 2 predictions are not finite"):
        operating_point([0, 1], [np.nan, 0.9], ["a", "b"], 0.5)
