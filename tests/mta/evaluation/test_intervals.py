import numpy as np
import pytest
from scipy import stats

from mta.evaluation import clustered_bootstrap, paired_difference
from mta.evaluation.bootstrap import cluster_strata, resample_counts
from mta.evaluation.intervals import bca_interval, logit_t_interval
from mta.evaluation.jackknife import jackknife_variance, leave_one_out_auc
from tests.mta.evaluation.test_bootstrap import make_case


def test_bca_of_a_mean_equals_scipys():
    values, strata = np.random.default_rng(0).exponential(size=20), np.zeros(20, int)
    replicates = np.concatenate([counts @ values / 20 for counts in resample_counts(strata, 100_000, 0, 1000)])
    low, high = bca_interval(values.mean(), replicates, (values.sum() - values) / 19, strata)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=100_000, method="BCa", rng=np.random.default_rng(1))
    np.testing.assert_allclose((low, high), theirs.confidence_interval, atol=0.02)
    assert abs(low - np.quantile(replicates, 0.025)) > 0.03  # it is not the percentile interval


def test_bca_of_two_strata_equals_scipys_for_two_samples():
    generator = np.random.default_rng(3)
    tumor, normal = np.round(generator.exponential(1.6, 14), 1), np.round(generator.exponential(0.5, 17), 1)
    labels, scores = np.repeat([1, 0], [14, 17]), np.concatenate([tumor, normal])
    ours = clustered_bootstrap(labels, scores, np.arange(31), n=20_000, method="bca")

    def area(x, y, axis=-1):
        x, y = np.moveaxis(x, axis, -1)[..., :, None], np.moveaxis(y, axis, -1)[..., None, :]
        return ((x > y) + (x == y) / 2).mean((-2, -1))

    theirs = stats.bootstrap(
        (tumor, normal), area, n_resamples=20_000, batch=2000, method="BCa", rng=np.random.default_rng(1)
    )
    np.testing.assert_allclose(ours, theirs.confidence_interval, atol=0.01)


def test_bca_of_a_difference_is_paired():
    labels, scores, clusters = make_case(np.random.default_rng(4), patients=30, decimals=6)
    noisy = scores + np.random.default_rng(5).normal(0, 1, len(scores))
    difference, low, high = paired_difference(labels, scores, noisy, clusters, n=400, method="bca")
    assert 0 < low < difference < high
    assert (low, high) != paired_difference(labels, scores, noisy, clusters, n=400)[1:]
    assert paired_difference(labels, scores, 2 * scores, clusters, n=100, method="bca") == (0.0, 0.0, 0.0)


def test_t_interval_of_a_difference_is_the_jackknifes():
    labels, scores, clusters = make_case(np.random.default_rng(4), patients=30, decimals=6)
    noisy = scores + np.random.default_rng(5).normal(0, 1, len(scores))
    difference, low, high = paired_difference(labels, scores, noisy, clusters, method="t")
    gaps = leave_one_out_auc(labels, scores, clusters) - leave_one_out_auc(labels, noisy, clusters)
    variance, freedom = jackknife_variance(gaps, cluster_strata(labels, clusters))
    np.testing.assert_allclose((low, high), stats.t.interval(0.95, freedom, difference, variance**0.5))
    assert paired_difference(labels, scores, 2 * scores, clusters, method="t") == (0.0, 0.0, 0.0)


def test_bca_ends_within_the_replicates_when_they_are_all_on_one_side():
    replicates = np.linspace(0.6, 0.7, 100)
    low, high = bca_interval(0.5, replicates, np.array([0.4, 0.5, 0.6]), np.zeros(3, int))
    assert 0.6 <= low <= high < 0.7


def test_t_interval_is_symmetric_in_logits_and_wider_than_the_normal_one():
    left_out, strata = np.array([0.88, 0.9, 0.93, 0.89, 0.9, 0.92]), np.array([0, 0, 0, 1, 1, 1])
    variance, freedom = jackknife_variance(left_out, strata)
    low, high = logit_t_interval(0.9, left_out, strata)
    odds = np.log([low / (1 - low), high / (1 - high)])
    assert odds.mean() == pytest.approx(np.log(9))
    assert np.diff(odds)[0] == pytest.approx(2 * stats.t.ppf(0.975, freedom) * variance**0.5 / 0.09)
    assert 2 <= freedom <= 4


def test_t_interval_of_a_perfect_auc_is_unknown():
    assert np.isnan(clustered_bootstrap([0, 0, 1, 1], [1, 2, 3, 4], ["a", "b", "c", "d"], method="t")).all()
