import keras
import numpy as np
import pytest
from sklearn.metrics import r2_score

from mta.losses import categorical_crossentropy, weighted_binary_crossentropy
from mta.metrics import R2, DomainAccuracy, LogitAccuracy, MeanSquaredError, TaskLoss


def streamed(metric, y_true, y_pred, size=32):
    for start in range(0, len(y_true), size):
        metric.update_state(y_true[start : start + size], y_pred[start : start + size])
    return float(metric.result())


@pytest.mark.parametrize(
    ("metric", "inputs", "key"),
    [
        (LogitAccuracy, ("y_true", "logits"), "accuracy"),
        (R2, ("c_true", "c_pred"), "r2"),
        (MeanSquaredError, ("c_true", "c_pred"), "mse"),
        (DomainAccuracy, ("d_true", "d_pred"), "domain_accuracy"),
    ],
)
def test_equal_to_what_the_original_reports(shared, metric, inputs, key):
    golden = np.load(shared / "golden" / "original_losses.npz")
    y_true, y_pred = (golden[f"metrics/{name}"] for name in inputs)
    value = streamed(metric(), y_true, y_pred)
    assert abs(value - golden[f"metrics/{key}"]) <= 1e-5 * abs(golden[f"metrics/{key}"])


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e5])
@pytest.mark.parametrize("size", [1, 7, 500])
def test_r2_equals_scikit_learn_far_from_zero_too(offset, size):
    rng = np.random.default_rng(1)
    y_true = (rng.normal(0, 3, (500, 1)) + offset).astype("float32")
    y_pred = (y_true + rng.normal(0, 1, (500, 1))).astype("float32")
    value = streamed(R2(), y_true, y_pred, size)
    assert value == pytest.approx(r2_score(y_true.astype("float64"), y_pred.astype("float64")), abs=2e-4)


def test_r2_leaves_absent_concepts_out():
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.normal(size=(2, 300)).astype("float32")
    y_true[::3] = np.nan
    known = ~np.isnan(y_true)
    assert streamed(R2(), y_true, y_pred) == pytest.approx(r2_score(y_true[known], y_pred[known]), rel=1e-5)


def test_r2_is_nan_without_spread_and_starts_afresh_after_a_reset():
    metric = R2()
    assert np.isnan(float(metric.result()))
    assert np.isnan(streamed(metric, np.full((4, 1), 2.0), np.zeros((4, 1))))
    metric.reset_state()
    metric.update_state(np.full((4, 1), np.nan), np.zeros((4, 1)))
    assert np.isnan(float(metric.result()))
    assert streamed(metric, np.float32([1, 2, 3]), np.float32([1, 2, 3])) == 1.0


def test_accuracy_from_logits_leaves_unlabelled_samples_out():
    y_true = np.float32([[1], [0], [1], [0], [-1], [np.nan]])
    logits = np.float32([[0.1], [-0.1], [-3], [0.0], [9], [-9]])
    assert streamed(LogitAccuracy(), y_true, logits) == 0.75


def test_domain_accuracy_leaves_all_zero_rows_out():
    y_true = np.vstack([np.eye(3), np.zeros((1, 3))]).astype("float32")
    y_pred = np.float32([[0.6, 0.2, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [1, 0, 0]])
    assert streamed(DomainAccuracy(), y_true, y_pred) == pytest.approx(2 / 3)


def test_mean_squared_error_leaves_nan_out():
    assert streamed(MeanSquaredError(), np.float32([1, np.nan, 3]), np.float32([2, 9, 1])) == 2.5


def test_task_loss_equals_the_loss_of_the_whole_set():
    rng = np.random.default_rng(3)
    y_true, logits = rng.integers(-1, 2, (90, 1)).astype("float32"), rng.normal(size=(90, 1)).astype("float32")
    value = streamed(TaskLoss("binary", (0.3, 0.7)), y_true, logits, 20)
    assert value == pytest.approx(float(weighted_binary_crossentropy(y_true, logits, (0.3, 0.7))), rel=1e-6)
    one_hot = np.vstack([np.eye(4), np.zeros((2, 4))]).astype("float32")
    shares = rng.dirichlet(np.ones(4), 6).astype("float32")
    value = streamed(TaskLoss("categorical"), one_hot, shares, 4)
    assert value == pytest.approx(float(categorical_crossentropy(one_hot, shares)), rel=1e-6)
    assert streamed(TaskLoss("regression"), np.float32([1, np.nan]), np.float32([3, 0]), 1) == 4.0


@pytest.mark.parametrize("metric", [LogitAccuracy, DomainAccuracy, MeanSquaredError])
def test_nothing_labelled_gives_zero(metric):
    absent = {LogitAccuracy: -np.ones((3, 1)), DomainAccuracy: np.zeros((3, 2)), MeanSquaredError: np.full(3, np.nan)}
    assert streamed(metric(), absent[metric].astype("float32"), np.ones_like(absent[metric])) == 0.0


@pytest.mark.parametrize(
    "metric",
    [TaskLoss("binary", (0.2, 0.8), name="bce"), LogitAccuracy(), DomainAccuracy(), MeanSquaredError(), R2("fit")],
)
def test_config_round_trip(metric):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is type(metric)
    assert again.name == metric.name
    assert str(again.get_config()) == str(metric.get_config())


def test_task_loss_refuses_an_unknown_kind():
    with pytest.raises(ValueError, match="ordinal"):
        TaskLoss("ordinal")
