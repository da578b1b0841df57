import tracemalloc

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from mta.evaluation import auc, clustered_bootstrap, paired_difference
from mta.evaluation.bootstrap import cluster_strata, resample_counts, resampled_auc


def make_case(generator, patients=20, patches=15, effect=1.0, decimals=1):
    """Labels, scores and patients, with a patient effect and (rounded) ties."""
    patient = np.repeat(np.arange(patients), patches)
    share = generator.choice([0.0, 0.5, 1.0], patients)
    labels = (generator.random(len(patient)) < share[patient]).astype(int)
    scores = effect * labels + generator.normal(0, 0.7, patients)[patient] + generator.normal(0, 1, len(patient))
    return labels, np.round(scores, decimals), np.char.add("p", patient.astype(str))


def all_counts(strata, n, seed, block=7):
    return np.concatenate(list(resample_counts(strata, n, seed, block)))


def naive(labels, scores, clusters, counts):
    """Each resample written out patch by patch, its AUC by scikit-learn."""
    names = np.unique(clusters)
    areas = []
    for row in counts.astype(int):
        chosen = np.concatenate([np.flatnonzero(clusters == names[k]) for k in np.repeat(np.arange(len(names)), row)])
        areas.append(roc_auc_score(labels[chosen], scores[chosen]))
    return np.array(areas)


def test_every_resample_equals_the_naive_loop():
    labels, scores, clusters = make_case(np.random.default_rng(3))
    counts = all_counts(cluster_strata(labels, clusters), 60, 5)
    expected = naive(labels, scores, clusters, counts)
    np.testing.assert_allclose(resampled_auc(labels, scores, clusters, 60, 5), expected, atol=1e-12)
    interval = clustered_bootstrap(labels, scores, clusters, n=60, seed=5)
    np.testing.assert_allclose(interval, np.quantile(expected, [0.025, 0.975]), atol=1e-12)


def test_resamples_keep_the_number_of_patients_of_each_kind():
    strata = np.array([0, 0, 0, 1, 2, 2, 1, 0])
    counts = all_counts(strata, 500, 0)
    for stratum, size in [(0, 4), (1, 2), (2, 2)]:
        np.testing.assert_array_equal(counts[:, strata == stratum].sum(axis=1), size)
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.15)


def test_a_patient_is_drawn_as_often_as_a_binomial_says():
    counts = all_counts(np.array([1, 0, 0, 1, 0, 0]), 20_000, 1)
    for column, size in [(0, 2), (1, 4), (3, 2), (5, 4)]:
        observed = np.bincount(counts[:, column], minlength=size + 1) / len(counts)
        np.testing.assert_allclose(observed, binom.pmf(range(size + 1), size, 1 / size), atol=0.015)


def test_resamples_depend_on_the_seed_and_not_on_the_block():
    strata = np.random.default_rng(0).integers(0, 3, 41)
    counts = all_counts(strata, 50, 3)
    for block in (1, 8, 1000):
        np.testing.assert_array_equal(all_counts(strata, 50, 3, block), counts)
    assert (all_counts(strata, 50, 4) != counts).any()


def test_memory_stays_flat_with_as_many_patients_as_rows():
    generator, rows = np.random.default_rng(0), 50_000
    labels = generator.integers(0, 2, rows)
    tracemalloc.start()
    resampled_auc(labels, generator.random(rows), np.arange(rows), n=200, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # bytes; the counts of all 200 resamples would take 80 million


def test_strata_are_the_kinds_of_patches_a_patient_has():
    labels, clusters = np.array([0, 0, 1, 1, 0, 1]), np.array(["a", "a", "b", "b", "c", "c"])
    assert cluster_strata(labels, clusters).tolist() == [0, 1, 2]


def test_interval_is_deterministic_and_ignores_unlabelled_rows():
    labels, scores, clusters = make_case(np.random.default_rng(1))
    first = clustered_bootstrap(labels, scores, clusters, n=200, seed=9)
    more = np.append(labels, -1), np.append(scores, 50.0), np.append(clusters, "p0")
    assert first == clustered_bootstrap(*more, n=200, seed=9)
    assert first != clustered_bootstrap(labels, scores, clusters, n=200, seed=10)
    assert first[0] < auc(labels, scores) < first[1]


def test_clusters_widen_the_interval():
    labels, scores, clusters = make_case(np.random.default_rng(2), patients=24, patches=40)
    low, high = clustered_bootstrap(labels, scores, clusters)
    alone = clustered_bootstrap(labels, scores, np.arange(len(labels)))
    assert high - low > 1.5 * (alone[1] - alone[0])


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    truth = auc(*make_case(generator, 4000, 15, decimals=6)[:2])
    hits = 0
    for _ in range(60):
        low, high = clustered_bootstrap(*make_case(generator, 40), n=300)
        hits += low <= truth <= high
    assert hits >= 51  # of 60; 57 expected


@pytest.mark.parametrize(
    ("labels", "clusters"),
    [([1, 1, 1], ["a", "b", "c"]), ([0, 1], ["a", "b"]), ([0, 1, 0], ["a", "a", "a"]), ([-1, -1], ["a", "b"])],
)
def test_no_interval_where_nothing_can_vary(labels, clusters):
    scores = np.arange(len(labels))
    assert np.isnan(clustered_bootstrap(labels, scores, clusters)).all()
    assert np.isnan(paired_difference(labels, scores, scores, clusters)[1:]).all()


def test_paired_difference_is_of_the_same_patients():
    labels, scores, clusters = make_case(np.random.default_rng(4), patients=30, decimals=6)
    noisy = scores + np.random.default_rng(5).normal(0, 1, len(scores))
    difference, low, high = paired_difference(labels, scores, noisy, clusters, n=400, seed=2)
    assert difference == pytest.approx(roc_auc_score(labels, scores) - roc_auc_score(labels, noisy))
    assert 0 < low < difference < high
    counts = all_counts(cluster_strata(labels, clusters), 400, 2)
    gaps = naive(labels, scores, clusters, counts) - naive(labels, noisy, clusters, counts)
    np.testing.assert_allclose((low, high), np.quantile(gaps, [0.025, 0.975]), atol=1e-12)
    apart = clustered_bootstrap(labels, scores, clusters, n=400, seed=2)
    assert high - low < apart[1] - apart[0]


def test_the_same_scores_differ_by_nothing():
    labels, scores, clusters = make_case(np.random.default_rng(6))
    assert paired_difference(labels, scores, 2 * scores, clusters, n=100) == (0.0, 0.0, 0.0)
