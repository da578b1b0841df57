import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mta.losses import (
    ORIGINAL_CLASS_WEIGHTS,
    categorical_crossentropy,
    mean_squared_error,
    weighted_binary_crossentropy,
)


def with_gradient(loss, y_true, y_pred):
    y_pred = tf.convert_to_tensor(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    return float(value), tape.gradient(value, y_pred).numpy()


def assert_golden(actual, golden):
    assert np.max(np.abs(actual - golden)) <= 1e-5 * np.max(np.abs(golden))


def softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


@pytest.mark.parametrize("case", range(6))
def test_binary_equals_the_original_code(shared, case):
    golden = np.load(shared / "golden" / "original_losses.npz")
    y_true, logits, loss, gradient = (golden[f"bbce/{case}/{key}"] for key in ("y_true", "logits", "loss", "grad"))
    value, derivative = with_gradient(weighted_binary_crossentropy, y_true, logits)
    assert_golden(value, loss)
    assert_golden(derivative, gradient)


def test_original_class_weights():
    assert ORIGINAL_CLASS_WEIGHTS == (23477 / 147297, 123820 / 147297)
    assert sum(ORIGINAL_CLASS_WEIGHTS) == pytest.approx(1.0)


def test_binary_known_values():
    ln2 = np.log(2.0)
    value = weighted_binary_crossentropy([[0.0], [1.0], [-1.0]], [[0.0], [0.0], [99.0]], (0.25, 0.75))
    assert float(value) == pytest.approx((0.25 + 0.75) * ln2 / 2, rel=1e-6)
    assert value.dtype == "float32"


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_binary_gradient_is_sigmoid_minus_label_at_every_logit_zero_included(label):
    logits = np.array([-200.0, -30.0, -1.0, 0.0, 1e-9, 1.0, 30.0, 200.0], "float32")
    _, gradient = with_gradient(lambda y, z: weighted_binary_crossentropy(y, z, (1, 1)), np.full(8, label), logits)
    expected = 1 / (1 + np.exp(-logits.astype("float64"))) - label
    np.testing.assert_allclose(gradient * 8, expected, rtol=1e-5, atol=1e-12)


def test_binary_does_not_overflow_and_keeps_small_losses():
    value, gradient = with_gradient(
        lambda y, z: weighted_binary_crossentropy(y, z, (1.0, 1.0)),
        np.array([1.0, 0.0], "float32"),
        np.array([-1e30, 1e30], "float32"),
    )
    assert value == pytest.approx(1e30, rel=1e-6)
    np.testing.assert_allclose(gradient, [-0.5, 0.5])
    assert float(weighted_binary_crossentropy([1.0], [20.0], (1.0, 1.0))) == pytest.approx(np.exp(-20.0), rel=1e-3)


def test_categorical_known_value_and_renormalization():
    y_true = np.eye(3, dtype="float32")[[0, 2]]
    probabilities = np.array([[0.2, 0.3, 0.5], [0.2, 0.4, 1.4]], "float32")
    expected = -(np.log(0.2) + np.log(0.7)) / 2
    assert float(categorical_crossentropy(y_true, probabilities)) == pytest.approx(expected, rel=1e-6)


def test_categorical_clips_at_1e_7_in_both_directions():
    y_true = np.eye(2, dtype="float32")
    assert float(categorical_crossentropy(y_true[:1], y_true[1:])) == pytest.approx(-np.log(1e-7), rel=1e-6)
    assert float(categorical_crossentropy(y_true[:1], y_true[:1])) == pytest.approx(1e-7, rel=0.25)


@pytest.mark.parametrize("compiled", [False, True])
def test_saturated_softmax_in_a_model_keeps_the_clipped_form(compiled):
    """On logits the gradient would be softmax - y = (-1, 1) for the wrong sample; clipped it is 0."""
    logits = np.array([[0.0, 60.0], [60.0, 0.0], [0.0, 2.0]], "float32")
    y_true = np.eye(2, dtype="float32")[[0, 0, 0]]
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Identity()(inputs)))

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = categorical_crossentropy(y_true, model(x, training=True))
        return value, tape.gradient(value, x)

    value, gradient = (tf.function(step) if compiled else step)(tf.constant(logits))
    clipped = -np.log(np.clip(softmax(logits.astype("float64"))[:, 0], 1e-7, 1 - 1e-7))
    assert float(value) == pytest.approx(clipped.mean(), rel=1e-5)
    p = softmax(logits[2].astype("float64"))
    np.testing.assert_allclose(gradient.numpy() * 3, [[0, 0], [0, 0], [p[0] - 1, p[1]]], rtol=1e-5, atol=1e-12)


def test_saturated_softmax_under_fit_leaves_the_weights_where_the_clipped_form_does():
    head = keras.layers.Dense(2, activation="softmax", use_bias=False)
    inputs = keras.Input((1,))
    model = keras.Model(inputs, head(inputs))
    head.set_weights([np.array([[0.0, 60.0]], "float32")])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y, p: categorical_crossentropy(y, p))
    history = model.fit(np.ones((1, 1)), np.array([[1.0, 0.0]]), verbose=0)
    assert history.history["loss"][0] == pytest.approx(-np.log(1e-7), rel=1e-6)
    np.testing.assert_array_equal(head.get_weights()[0], [[0.0, 60.0]])


def test_mean_squared_error_known_value():
    value, gradient = with_gradient(mean_squared_error, np.array([1.0, np.nan, 3.0]), np.float32([2.0, 5.0, 0.0]))
    assert value == pytest.approx((1 + 9) / 2)
    np.testing.assert_allclose(gradient, [1.0, 0.0, -3.0])


NOTHING_LABELLED = [
    (weighted_binary_crossentropy, np.full((4, 1), -1.0, "float32"), np.zeros((4, 1), "float32")),
    (weighted_binary_crossentropy, np.full((4, 1), np.nan, "float32"), np.zeros((4, 1), "float32")),
    (categorical_crossentropy, np.zeros((4, 3), "float32"), np.eye(3, dtype="float32")[[0, 1, 2, 0]]),
    (mean_squared_error, np.full((4, 1), np.nan, "float32"), np.ones((4, 1), "float32")),
    (mean_squared_error, np.zeros((0, 1), "float32"), np.zeros((0, 1), "float32")),
]


@pytest.mark.parametrize(("loss", "y_true", "y_pred"), NOTHING_LABELLED)
def test_a_batch_without_labels_costs_nothing(loss, y_true, y_pred):
    value, gradient = with_gradient(loss, y_true, y_pred)
    assert value == 0.0
    np.testing.assert_array_equal(gradient, np.zeros_like(y_pred))


def batch(n, seed, kind):
    rng = np.random.default_rng(seed)
    if kind == "categorical":
        y_true = np.eye(4, dtype="float32")[rng.integers(0, 4, n)]
        return y_true, softmax(rng.normal(0, 2, (n, 4))).astype("float32"), np.zeros(4)
    y_true = rng.normal(size=(n, 1)) if kind == "regression" else rng.integers(0, 2, (n, 1))
    return y_true.astype("float32"), rng.normal(0, 2, (n, 1)).astype("float32"), np.nan if kind == "regression" else -1


LOSSES = {
    "binary": weighted_binary_crossentropy,
    "categorical": categorical_crossentropy,
    "regression": mean_squared_error,
}


@pytest.mark.parametrize("kind", LOSSES)
@settings(max_examples=15, deadline=None)
@given(keep=st.lists(st.booleans(), min_size=2, max_size=12).filter(any), seed=st.integers(0, 999))
def test_masked_samples_count_as_if_they_were_not_there(kind, keep, seed):
    keep = np.array(keep)
    y_true, y_pred, absent = batch(len(keep), seed, kind)
    subset, gradient = with_gradient(LOSSES[kind], y_true[keep], y_pred[keep])
    y_true[~keep] = absent
    masked, masked_gradient = with_gradient(LOSSES[kind], y_true, y_pred)
    assert masked == pytest.approx(subset, rel=1e-5)
    np.testing.assert_allclose(masked_gradient[keep], gradient, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(masked_gradient[~keep], 0.0)


@pytest.mark.parametrize("kind", LOSSES)
def test_gradient_equals_central_differences(kind):
    y_true, y_pred, absent = batch(6, 3, kind)
    y_true[2] = absent
    y_pred = 0.1 + 0.6 * y_pred if kind == "categorical" else y_pred  # far from 0, where the curvature is high
    _, gradient = with_gradient(LOSSES[kind], y_true, y_pred)
    step = 1e-2
    for index in np.ndindex(*y_pred.shape):
        ahead, behind = y_pred.copy(), y_pred.copy()
        ahead[index] += step * (0.1 if kind == "categorical" else 1)
        behind[index] -= step * (0.1 if kind == "categorical" else 1)
        rise = float(LOSSES[kind](y_true, ahead)) - float(LOSSES[kind](y_true, behind))
        assert rise / (ahead[index] - behind[index]) == pytest.approx(gradient[index], rel=2e-2, abs=2e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_losses_are_float32_whatever_comes_in(dtype):
    values = tf.cast([[0.0], [1.0]], dtype)
    for loss in (weighted_binary_crossentropy, mean_squared_error):
        assert loss(values, values).dtype == "float32"
    assert categorical_crossentropy(tf.cast(np.eye(2), dtype), tf.cast(np.eye(2), dtype)).dtype == "float32"


def test_integer_labels_and_flat_shapes_are_equal_to_columns():
    logits = np.float32([0.3, -0.7, 2.0])
    flat = weighted_binary_crossentropy(np.array([0, 1, -1]), logits)
    column = weighted_binary_crossentropy(np.array([[0.0], [1.0], [-1.0]]), logits[:, None])
    assert float(flat) == float(column)
