"""The optimizers and the penalty in few passes, beside those of Keras."""

import keras
import numpy as np
import pytest

from mta.config import TrainConfig
from mta.model import build_model
from mta.spec import ModelSpec
from mta.training.network import make_network
from mta.training.optimizers import make_optimizer

fused = pytest.importorskip("mta.training.fused", reason="for Keras on TensorFlow")

SETTINGS = {
    "sgd": {"momentum": 0.0},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
}
PAIRS = [(fused.SGD, keras.optimizers.SGD, settings) for settings in SETTINGS.values()]
PAIRS += [(fused.Adam, keras.optimizers.Adam, {}), (fused.AdamW, keras.optimizers.AdamW, {"weight_decay": 0.1})]


def weights_after(kind, settings, steps=20):
    """A matrix and a vector after some steps of random gradients, and the optimizer's own variables."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32")) for shape in ((5, 7), (7,))]
    optimizer = kind(0.05, **settings)
    optimizer.build(variables)
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(random.normal(size=v.shape).astype("float32")) for v in variables])
    return [np.asarray(v) for v in optimizer.variables], [np.asarray(v) for v in variables]


@pytest.mark.parametrize(("ours", "theirs", "settings"), PAIRS, ids=[*SETTINGS, "adam", "adamw"])
def test_steps_are_those_of_keras(ours, theirs, settings):
    (state, weights), (expected_state, expected) = weights_after(ours, settings), weights_after(theirs, settings)
    for one, other in zip([*state, *weights], [*expected_state, *expected], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-5)
    assert not np.allclose(weights[0], weights_after(theirs, settings, steps=0)[1][0], atol=1e-2)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_runs_take_them(name):
    config = TrainConfig("", "", optimizer=name, momentum=0.8, nesterov=True, learning_rate=0.01)
    optimizer = make_optimizer(config)
    assert type(optimizer).__module__ == fused.__name__
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
    if name == "sgd":
        assert (optimizer.momentum, optimizer.nesterov) == (0.8, True)


def test_the_penalty_is_that_of_keras_and_stays_out_of_files():
    network = {"backbone": "SmallCNN", "weights": None, "size": 32, "trainable": "all", "concepts": ()}
    model = build_model(ModelSpec(**network, dense=(16, 8), l2=0.03))
    expected = [float(loss) for loss in model.losses]
    make_network(model, model, TrainConfig("", ""), None)
    assert [type(layer.kernel.regularizer) for layer in model.layers if "features" in layer.name] == [
        fused._Penalty,
        fused._Penalty,
    ]
    np.testing.assert_allclose([float(loss) for loss in model.losses], expected, rtol=1e-6)
    assert model.get_layer("features_1").get_config()["kernel_regularizer"]["class_name"] == "L2"


def test_the_gradient_of_the_penalty_is_that_of_keras():
    import tensorflow as tf

    weights = keras.Variable(np.random.default_rng(0).normal(size=(30, 20)).astype("float32"))
    gradients = []
    for penalty in (fused._Penalty(0.03), keras.regularizers.L2(0.03)):
        with tf.GradientTape() as tape:
            loss = penalty(weights)
        gradients.append(np.asarray(tape.gradient(loss, weights.value)))
    np.testing.assert_allclose(*gradients, rtol=1e-6)
