import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from data_prep.errors import InputError
from mta.evaluation.delong import delong_interval, delong_test, delong_variance


def make_case(seed=0, n=150, decimals=1):
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.4).astype(int)
    shared = generator.normal(0, 1, n)
    a = labels + shared + generator.normal(0, 0.5, n)
    return labels, np.round(a, decimals), np.round(0.6 * labels + shared + generator.normal(0, 0.8, n), decimals)


def structural_components(labels, scores):
    """V10 and V01 of DeLong et al. (1988), pair by pair."""
    tumor, normal = scores[labels == 1], scores[labels == 0]
    kernel = np.array([[(x > y) + 0.5 * (x == y) for y in normal] for x in tumor])
    return kernel.mean(axis=1), kernel.mean(axis=0)


def direct_covariance(labels, a, b):
    (tumor_a, normal_a), (tumor_b, normal_b) = structural_components(labels, a), structural_components(labels, b)
    return np.cov(tumor_a, tumor_b) / len(tumor_a) + np.cov(normal_a, normal_b) / len(normal_a)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_variance_and_test_equal_the_sum_over_all_pairs(decimals):
    labels, a, b = make_case(decimals=decimals)
    covariance = direct_covariance(labels, a, b)
    assert delong_variance(labels, a) == pytest.approx(covariance[0, 0], rel=1e-12)
    result = delong_test(labels, a, b)
    assert result.difference == pytest.approx(roc_auc_score(labels, a) - roc_auc_score(labels, b))
    assert result.se == pytest.approx(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]), rel=1e-10)
    assert result.z == pytest.approx(result.difference / result.se)
    assert result.p == pytest.approx(2 * stats.norm.cdf(-abs(result.z)))
    np.testing.assert_allclose(result.interval, result.difference + np.array([-1.959964, 1.959964]) * result.se)


def test_test_equals_another_implementation():
    # MLstatkit 0.1.91 (MIT, PyPI), Delong_test(labels, a, b), whose z is of b minus a
    result = delong_test(*make_case())
    assert result.z == pytest.approx(4.1712297500994655, rel=1e-10)
    assert result.p == pytest.approx(3.02960211924487e-05, rel=1e-8)
    assert result.se**2 == pytest.approx(0.0012179675401613006, rel=1e-10)
    assert 1.959963984540054 * np.sqrt(delong_variance(*make_case()[:2])) == pytest.approx(
        (0.8059507044714218 - 0.6404743301889069) / 2, rel=1e-10
    )


def test_interval_is_normal_in_logits():
    labels, a, _ = make_case()
    area = roc_auc_score(labels, a)
    odds = np.log(np.divide(delong_interval(labels, a), 1 - np.array(delong_interval(labels, a))))
    assert odds.mean() == pytest.approx(np.log(area / (1 - area)))
    assert np.ptp(odds) / 2 == pytest.approx(1.959964 * np.sqrt(delong_variance(labels, a)) / (area * (1 - area)))


def test_variance_is_what_repeated_samples_vary_by():
    generator, runs = np.random.default_rng(0), 2000
    labels = np.repeat([0, 1], [40, 30])
    samples = labels + generator.normal(0, 1, (runs, 70))
    areas = [roc_auc_score(labels, sample) for sample in samples]
    variances = [delong_variance(labels, sample) for sample in samples]
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.1)


def test_p_is_uniform_when_the_models_are_equally_good():
    generator = np.random.default_rng(1)
    labels, ps = np.repeat([0, 1], 60), []
    for _ in range(400):
        signal = labels + generator.normal(0, 1, 120)
        ps.append(delong_test(labels, *(signal + generator.normal(0, 0.7, (2, 120)))).p)
    assert stats.kstest(ps, "uniform").pvalue > 0.01


def test_unlabelled_rows_are_left_out_and_equal_scores_do_not_differ():
    labels, a, _ = make_case()
    assert delong_variance(np.append(labels, -1), np.append(a, np.nan)) == delong_variance(labels, a)
    same = delong_test(labels, a, 2 * a)
    assert (same.difference, same.se, same.interval) == (0, 0, (0, 0))
    assert np.isnan(same.p)
    assert np.isnan(delong_interval([0, 0, 1, 1], [1, 2, 3, 4])).all()


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([1, 1, 1], [1, 2, 3], "none of the 3 labelled rows is normal"),
        ([0, 1, 1, 0], [1, np.nan, 3, 2], "1 of 4 predictions are not finite"),
        ([0, 1, 1], [1, 2, 3], "1 row of one class"),
    ],
)
def test_bad_input_is_one_line(labels, scores, message):
    with pytest.raises(InputError, match=message) as error:
        delong_variance(labels, scores)
    assert "\n" not in str(error.value)
