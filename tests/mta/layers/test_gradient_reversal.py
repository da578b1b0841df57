import keras
import numpy as np
import pytest
import tensorflow as tf

from mta.layers import GradientReversal
from tests.layer_case import check_layer

STRENGTHS = (0.0, 0.1, 1.0, 10.0)


def backward(layer, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    return y, tape.gradient(y, x, output_gradients=upstream)


def test_layer_contract(tmp_path):
    x = np.linspace(-3, 3, 24, dtype="float32").reshape(4, 6)
    check_layer(GradientReversal, {"strength": 0.25}, (x,), tmp_path, shape=(4, 6), non_trainable=1)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_forward_is_the_identity_bit_for_bit(dtype):
    values = np.array([0.0, -0.0, 1e-8, -6e-5, 3.14159, 65504.0, np.inf, -np.inf, np.nan], "float32")
    x = tf.cast(values, dtype)
    y = GradientReversal(3.0, dtype=dtype)(x)
    assert y.dtype == x.dtype
    assert x.numpy().tobytes() == y.numpy().tobytes()


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_gradient_is_multiplied_by_minus_strength(strength, dtype):
    x = tf.cast(np.arange(6.0).reshape(2, 3), dtype)
    upstream = tf.cast([[1.0, -2.0, 0.5], [0.0, 4.0, -1.0]], dtype)
    _, gradient = backward(GradientReversal(strength, dtype=dtype), x, upstream)
    assert gradient.dtype == x.dtype
    tolerance = {"float32": 1e-7, "float16": 1e-3, "bfloat16": 8e-3}[dtype]
    expected = -strength * tf.cast(upstream, "float32").numpy()
    np.testing.assert_allclose(tf.cast(gradient, "float32").numpy(), expected, rtol=tolerance)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_an_optimizer_step_climbs_below_and_descends_above(strength):
    below = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(2.0))
    above = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(3.0))
    x = keras.Input((1,))
    model = keras.Model(x, above(GradientReversal(strength)(below(x))))
    model.compile(keras.optimizers.SGD(0.01), loss=lambda y_true, y_pred: keras.ops.mean(y_pred))
    model.fit(np.ones((1, 1)), np.zeros((1, 1)), verbose=0)
    # The loss is w_above * w_below: descent would take 0.01 * 3 from w_below and takes 0.01 * 2 from w_above.
    assert below.kernel.numpy().item() == pytest.approx(2.0 + strength * 0.03, rel=1e-6)
    assert above.kernel.numpy().item() == pytest.approx(3.0 - 0.02, rel=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_assigned_strength_takes_effect_without_retracing(jit):
    layer, traces = GradientReversal(1.0), []

    @tf.function(jit_compile=jit)
    def step(x):
        traces.append(None)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x) * 2.0)
        return tape.gradient(total, x)

    for strength in (1.0, 0.0, 0.5, 10.0):
        layer.strength.assign(strength)
        np.testing.assert_allclose(step(tf.ones((2, 2))), np.full((2, 2), -2.0 * strength))
    assert len(traces) == 1


def test_assigned_strength_takes_effect_between_epochs_of_fit():
    reversal = GradientReversal(0.0)
    below = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), below, reversal])
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y_true, y_pred: keras.ops.mean(y_pred))
    seen = []

    def ramp(epoch, logs):
        seen.append(below.kernel.numpy().item())
        reversal.strength.assign(float(epoch + 1))

    callback = keras.callbacks.LambdaCallback(on_epoch_end=ramp)
    model.fit(np.ones((1, 1)), np.zeros((1, 1)), epochs=3, verbose=0, callbacks=[callback])
    np.testing.assert_allclose(seen, [1.0, 1.1, 1.3], rtol=1e-6)


def test_config_holds_the_constructors_strength_and_the_weight_holds_the_scheduled_one(tmp_path):
    x = keras.Input((3,))
    model = keras.Model(x, GradientReversal(0.5, name="reversal")(x))
    model.get_layer("reversal").strength.assign(7.0)
    assert model.get_layer("reversal").get_config()["strength"] == 0.5
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras").get_layer("reversal")
    assert loaded.get_config()["strength"] == 0.5
    assert float(loaded.strength) == 7.0


def test_exports_as_the_identity(tmp_path):
    x = keras.Input((3,))
    model = keras.Model(x, GradientReversal()(x))
    model.export(tmp_path / "saved", verbose=False)
    data = np.array([[1.0, -2.0, 3.5]], "float32")
    artifact = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_array_equal(artifact.serve(data), data)


def test_trains_under_mixed_float16():
    x = keras.Input((2,))
    hidden = keras.layers.Dense(2, dtype="mixed_float16", kernel_initializer="identity", use_bias=False)
    reversal = GradientReversal(2.0, dtype="mixed_float16")
    output = keras.layers.Dense(1, dtype="float32", kernel_initializer="ones")(reversal(hidden(x)))
    model = keras.Model(x, output)
    model.compile(keras.optimizers.SGD(0.125), loss=lambda y_true, y_pred: keras.ops.mean(y_pred))
    model.fit(np.ones((4, 2)), np.zeros((4, 1)), batch_size=4, verbose=0)
    np.testing.assert_allclose(hidden.kernel.numpy(), np.eye(2) + 0.25, rtol=1e-3)
    assert reversal.strength.dtype == "float32"


def test_strength_is_not_trained():
    layer = GradientReversal(0.5)
    x = tf.constant([[1.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        tape.watch(layer.strength.value)
        total = tf.reduce_sum(layer(x) ** 2)
    gradient = tape.gradient(total, layer.strength.value)
    assert gradient is None or float(gradient) == 0.0
    assert layer.trainable_weights == []


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_refuses_a_strength_that_is_no_finite_number_from_zero_on(strength):
    with pytest.raises(ValueError, match="strength"):
        GradientReversal(strength)
