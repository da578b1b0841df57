import numpy as np
import pytest

from data_prep.errors import InputError
from mta.evaluation.bands import POINTS, roc_band
from mta.evaluation.bootstrap import cluster_strata, resample_counts
from mta.evaluation.scores import roc_curve


def rows(patients=9, patches=6, seed=0):
    generator = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(patients), patches)
    labels = np.where(clusters % 3 == 2, np.arange(len(clusters)) % 2, clusters % 3)
    return labels, np.round(labels + generator.normal(0, 1.2, len(labels)), 1), clusters


def by_hand(labels, scores, clusters, n):
    """The same band with one resample after the other, its patches written out."""
    grid, curves = np.linspace(0, 1, POINTS), []
    (counts,) = resample_counts(cluster_strata(labels, clusters), n, 0, n)
    for drawn in counts:
        chosen = np.repeat(np.arange(len(labels)), drawn[clusters])
        false, true = roc_curve(labels[chosen], scores[chosen])
        curves.append([true[false <= rate + 1e-12].max() for rate in grid])
    return np.quantile(curves, [0.025, 0.975], axis=0)


def test_the_band_is_that_of_resampled_curves_ties_included():
    labels, scores, clusters = rows()
    band = roc_band(labels, scores, clusters, n=60)
    low, high = by_hand(labels, scores, clusters, 60)
    np.testing.assert_allclose(band.low, low, atol=1e-12)
    np.testing.assert_allclose(band.high, high, atol=1e-12)
    assert (band.high - band.low).max() > 0.1


def test_unlabelled_rows_change_nothing():
    labels, scores, clusters = rows()
    more = np.r_[labels, -1], np.r_[scores, 9.0], np.r_[clusters, 99]
    np.testing.assert_array_equal(roc_band(*more, n=20).high, roc_band(labels, scores, clusters, n=20).high)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b, c: (a * 0, b, c), "tumor"),
        (lambda a, b, c: (a, b * np.nan, c), "not finite"),
        (lambda a, b, c: (a, b, c * 0), "one patient"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        roc_band(*change(*rows()))
