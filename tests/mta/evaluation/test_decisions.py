import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, recall_score

from mta.evaluation import calibration_error, fit_temperature, operating_point, summarize
from mta.evaluation.decisions import calibration, operating
from tests.mta.evaluation.test_summary import make_predictions


def make_roles():
    table = make_predictions(960)
    table["role"] = table["role"].replace("train", "validation")
    return table, *(table[table["role"] == role] for role in ("validation", "external_test"))


def test_calibration_is_that_of_the_functions_and_the_temperature_of_validation():
    _, validation, part = make_roles()
    found = calibration(part, validation)
    assert found["brier"] == pytest.approx(brier_score_loss(part["label"], expit(part["logit"])))
    assert found["ece"] == calibration_error(part["label"], part["probability"])
    assert found["ece_equal_count"] == calibration_error(part["label"], part["probability"], by="count")
    assert found["temperature"] == fit_temperature(validation["label"], validation["logit"])
    assert found["ece_temperature"] == pytest.approx(
        calibration_error(part["label"], expit(part["logit"] / found["temperature"]))
    )


def test_threshold_is_of_validation_and_shares_of_the_test():
    _, validation, part = make_roles()
    found = operating(part, validation)
    normal = validation.loc[validation["label"] == 0, "logit"]
    assert 0.95 <= (normal <= found["threshold"]).mean() < 0.96
    called = part["logit"] > found["threshold"]
    assert found["sensitivity"] == pytest.approx(recall_score(part["label"], called))
    assert found["specificity"] == pytest.approx(recall_score(part["label"], called, pos_label=0))
    point = operating_point(part["label"], part["logit"], part["patient"], found["threshold"])
    assert found["sensitivity_interval"] == point.sensitivity_interval


def test_metrics_hold_them_and_null_where_undefined():
    table, validation, part = make_roles()
    metrics = summarize(table)["external_test"]
    assert metrics["calibration"] == calibration(part, validation)
    assert metrics["operating_point"]["sensitivity"] == operating(part, validation)["sensitivity"]
    alone = summarize(part)["external_test"]
    assert alone["calibration"]["temperature"] is None
    assert alone["calibration"]["ece"] == metrics["calibration"]["ece"]
    assert alone["operating_point"]["threshold"] is None
    broken = summarize(table.assign(logit=np.where(table["role"] == "external_test", np.nan, table["logit"])))
    assert set(broken["external_test"]["calibration"].values()) == {None}
    assert summarize(part.assign(patient="x"))["external_test"]["operating_point"]["sensitivity"] is None


def test_a_validation_that_is_all_right_has_no_temperature():
    _, validation, part = make_roles()
    right = validation.assign(logit=2.0 * validation["label"] - 1)
    assert np.isnan(calibration(part, right)["temperature"])
    assert np.isnan(calibration(part, pd.DataFrame({"label": [], "logit": []}))["temperature"])
