import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mta.evaluation.bootstrap import cluster_strata
from mta.evaluation.jackknife import acceleration, influence, jackknife_variance, leave_one_out_auc
from tests.mta.evaluation.test_bootstrap import make_case


def test_leaving_a_patient_out_equals_scikit_learn_on_the_rest():
    labels, scores, clusters = make_case(np.random.default_rng(1))
    expected = [roc_auc_score(labels[clusters != name], scores[clusters != name]) for name in np.unique(clusters)]
    np.testing.assert_allclose(leave_one_out_auc(labels, scores, clusters), expected, atol=1e-12)


def test_without_the_only_patient_of_a_class_there_is_no_auc():
    areas = leave_one_out_auc([1, 0, 0], [0.4, 0.2, 0.6], ["a", "b", "c"])
    np.testing.assert_array_equal(areas, [np.nan, 0, 1])
    strata = np.array([1, 0, 0])
    np.testing.assert_array_equal(influence(areas, strata), [0, 0.25, -0.25])
    assert jackknife_variance(areas, strata) == (0.25, 1.0)


def test_variance_is_that_of_hand_written_strata():
    labels, scores, clusters = make_case(np.random.default_rng(2))
    areas, strata = leave_one_out_auc(labels, scores, clusters), cluster_strata(labels, clusters)
    parts = []
    for stratum in np.unique(strata):
        values = areas[strata == stratum]
        parts.append(((len(values) - 1) ** 2 / len(values) * values.var(ddof=1), len(values) - 1))
    variance, freedom = jackknife_variance(areas, strata)
    assert variance == pytest.approx(sum(part for part, _ in parts))
    assert freedom == pytest.approx(variance**2 / sum(part**2 / degrees for part, degrees in parts))


def test_acceleration_of_one_stratum_is_efrons():
    values = np.random.default_rng(0).exponential(size=15)
    left_out = (values.sum() - values) / 14  # of the mean
    deviations = left_out.mean() - left_out
    expected = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    assert acceleration(left_out, np.zeros(15, int)) == pytest.approx(expected)
    assert acceleration(np.ones(4), np.zeros(4, int)) == 0
