import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from data_prep.errors import InputError
from mta.evaluation.calibration import apply_temperature, brier, calibration_error, fit_temperature, reliability


def make_case(n=3000, temperature=1.0, seed=0):
    """Labels that follow P = sigmoid(z), and the logits z * temperature of a model that is too sure of itself."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(0, 1.5, n)
    return (generator.random(n) < expit(truth)).astype(int), truth * temperature


def test_curve_equals_scikit_learns():
    labels, logits = make_case()
    for by, strategy in [("width", "uniform"), ("count", "quantile")]:
        observed, predicted = calibration_curve(labels, expit(logits), n_bins=10, strategy=strategy)
        curve = reliability(labels, expit(logits), bins=10, by=by)
        np.testing.assert_allclose(curve.predicted, predicted, atol=2e-3)
        np.testing.assert_allclose(curve.observed, observed, atol=2e-3)
        assert curve.counts.sum() == len(labels)
    np.testing.assert_array_equal(curve.counts, 300)


def test_error_of_a_case_by_hand():
    labels, chances = [0, 0, 1, 1, 1], [0.1, 0.2, 0.2, 0.9, 1.0]
    # two bins: 3 rows at mean 1/6 with 1/3 tumor, 2 at 0.95 with 1
    assert calibration_error(labels, chances, bins=2) == pytest.approx((3 * (1 / 6) + 2 * 0.05) / 5)
    assert reliability(labels, chances, bins=2).counts.tolist() == [3, 2]
    assert brier(labels, chances) == pytest.approx((0.01 + 0.04 + 0.64 + 0.01) / 5)


def test_equal_probabilities_stay_in_one_bin():
    curve = reliability([0, 1, 0, 1, 1, 1], [0.3, 0.3, 0.3, 0.3, 0.6, 0.7], bins=3, by="count")
    assert curve.counts.tolist() == [4, 2]
    np.testing.assert_allclose(curve.observed, [0.5, 1])


def test_brier_equals_scikit_learns_and_the_ends_are_counted():
    labels, logits = make_case()
    assert brier(labels, expit(logits)) == pytest.approx(brier_score_loss(labels, expit(logits)))
    assert reliability([0, 1], [0, 1], bins=4).counts.tolist() == [1, 1]
    assert calibration_error([0, 1], [0, 1]) == 0


def test_error_is_small_for_true_probabilities_and_large_for_sure_ones():
    labels, logits = make_case(20_000)
    assert calibration_error(labels, expit(logits)) < 0.015
    assert calibration_error(labels, expit(4 * logits)) > 0.1
    assert calibration_error(labels, expit(4 * logits), by="count") > 0.1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_that_of_an_unpenalized_logistic_regression(temperature):
    labels, logits = make_case(temperature=temperature)
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(logits[:, None], labels).coef_[0, 0]
    fitted = fit_temperature(labels, logits)
    assert fitted == pytest.approx(1 / slope, rel=1e-4)
    assert fitted == pytest.approx(temperature, rel=0.1)


def test_temperature_of_validation_mends_test_rows():
    labels, logits = make_case(temperature=3.0)
    tested, theirs = make_case(temperature=3.0, seed=1)
    mended = apply_temperature(theirs, fit_temperature(labels, logits))
    assert calibration_error(tested, mended) < 0.4 * calibration_error(tested, expit(theirs))
    np.testing.assert_array_equal(np.argsort(mended, kind="stable"), np.argsort(theirs, kind="stable"))


@pytest.mark.parametrize(
    ("measure", "scores", "message"),
    [
        (brier, [0.2, 1.5, 0.1], "1 of 3 probabilities are outside"),
        (calibration_error, [0.2, np.nan, 0.1], "1 of 3 predictions are not finite"),
        (fit_temperature, [-1.0, 2.0, -1.0], "all on the right side"),
        (fit_temperature, [1.0, -2.0, 1.0], "no better than chance"),
    ],
)
def test_bad_input_is_one_line(measure, scores, message):
    with pytest.raises(InputError, match=message):
        measure([0, 1, 0], scores)
    with pytest.raises(InputError, match="rows is tumor"):
        measure([0, 0, -1], [0.1, 0.2, 0.3])
