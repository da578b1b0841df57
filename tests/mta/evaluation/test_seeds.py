import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.metrics import roc_auc_score

from data_prep.errors import InputError
from mta.evaluation.seeds import across_seeds


def make_case(generator, seeds=5, patients=40, seed_sd=0.15, patches=4, shift=1.5):
    """Normal and tumor patients in equal numbers; the shift between them is (seeds,) times another for each seed."""
    patient = np.repeat(np.arange(patients), patches)
    labels = patient % 2
    shared = generator.normal(0, 0.7, patients)[patient] + generator.normal(0, 0.7, len(patient))
    shifts = shift + generator.normal(0, seed_sd, (seeds, 1)) if seed_sd else np.full((seeds, 1), shift)
    return labels, shifts * labels + shared + generator.normal(0, 0.7, (seeds, len(patient))), patient


def written_out(labels, scores, patients):
    """Obuchowski & Rockette for one modality, with scikit-learn's AUC and a jackknife in two strata, term by term."""
    values = np.array([roc_auc_score(labels, score) for score in scores])
    covariance = np.zeros((len(scores), len(scores)))
    for kind in (0, 1):
        names = [name for name in np.unique(patients) if name % 2 == kind]
        left = np.array(
            [[roc_auc_score(labels[patients != k], score[patients != k]) for k in names] for score in scores]
        )
        covariance += (len(names) - 1) ** 2 / len(names) * np.cov(left)
    own = np.diag(covariance).mean()
    shared = covariance[~np.eye(len(scores), dtype=bool)].mean()
    return values, own, shared


def test_summary_equals_the_formulas_written_out():
    labels, scores, patients = make_case(np.random.default_rng(0), patients=16)
    values, own, shared = written_out(labels, scores, patients)
    summary, square = across_seeds(labels, scores, patients), values.var(ddof=1)
    assert summary.mean == pytest.approx(values.mean())
    assert summary.between_patients == pytest.approx(shared)
    assert summary.between_seeds == pytest.approx(max(square - own + shared, 0))
    assert summary.se == pytest.approx(np.sqrt(square / 5 + shared))
    assert summary.degrees == pytest.approx((square + 5 * shared) ** 2 / (square**2 / 4))
    half = t.ppf(0.975, summary.degrees) * summary.se
    np.testing.assert_allclose(summary.interval, [values.mean() - half, values.mean() + half])


def test_interval_covers_new_seeds_and_patients_where_that_over_seeds_does_not():
    generator, seed_sd, runs = np.random.default_rng(1), 0.15, 300
    spread = np.sqrt(2 * 3 * 0.49)
    draws = norm.cdf((1.5 + seed_sd * np.linspace(-6, 6, 2001)) / spread)
    weights = norm.pdf(np.linspace(-6, 6, 2001))
    truth = (draws * weights).sum() / weights.sum()
    held = alone = 0
    for _ in range(runs):
        case = make_case(generator, seed_sd=seed_sd)
        summary = across_seeds(*case)
        held += summary.interval[0] <= truth <= summary.interval[1]
        half = t.ppf(0.975, 4) * np.std(summary.values, ddof=1) / np.sqrt(5)
        alone += abs(summary.mean - truth) <= half
    assert 0.92 * runs <= held <= 0.98 * runs
    assert alone < 0.8 * runs


def test_variances_are_found_apart():
    generator = np.random.default_rng(2)
    steady = [across_seeds(*make_case(generator, seeds=10, seed_sd=0)) for _ in range(40)]
    moving = [across_seeds(*make_case(generator, seeds=10, seed_sd=0.4)) for _ in range(40)]
    assert np.mean([case.between_seeds for case in steady]) < 0.1 * np.mean([case.between_seeds for case in moving])
    small = [across_seeds(*make_case(generator, patients=20, seed_sd=0)).between_patients for _ in range(40)]
    ratio = np.mean(small) / np.mean([case.between_patients for case in steady])
    assert ratio == pytest.approx(2, rel=0.35)  # twice the patients, half the variance


def test_difference_to_a_baseline_cancels_what_patients_share():
    generator = np.random.default_rng(3)
    labels, scores, patients = make_case(generator)
    worse = scores + generator.normal(0, 0.5, scores.shape)
    gap, own = across_seeds(labels, scores, patients, worse), across_seeds(labels, scores, patients)
    assert gap.mean == pytest.approx(own.mean - across_seeds(labels, worse, patients).mean)
    assert gap.between_patients < 0.3 * own.between_patients
    same = across_seeds(labels, scores, patients, scores)
    assert (same.mean, same.interval) == (0, (0, 0))


def test_bad_input_is_one_line():
    labels, scores, patients = make_case(np.random.default_rng(4))
    with pytest.raises(InputError, match="one seed; what seeds vary by"):
        across_seeds(labels, scores[0], patients)
    with pytest.raises(InputError, match="5 seeds against 4 of the baseline"):
        across_seeds(labels, scores, patients, scores[:4])
    with pytest.raises(InputError, match="all rows are of one patient"):
        across_seeds(labels, scores, np.zeros(len(labels)))
    with pytest.raises(InputError, match="not finite"):
        across_seeds(labels, scores * np.nan, patients)
