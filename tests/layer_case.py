"""One contract for every layer: config round trip, weights, symbolic and eager call, a fit step, dtype policies."""

import json

import keras
import numpy as np
from keras import tree

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def _symbolic(arrays):
    return tree.map_structure(lambda array: keras.Input(array.shape[1:], dtype=array.dtype.name), arrays)


def _config_round_trip(cls, init):
    layer = cls(**init)
    config = layer.get_config()
    assert json.loads(json.dumps(config)).keys() == config.keys()
    again = cls.from_config(config)
    assert json.dumps(again.get_config(), sort_keys=True) == json.dumps(config, sort_keys=True)
    whole = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    revived = keras.saving.deserialize_keras_object(whole, safe_mode=True)
    assert type(revived) is cls
    assert json.dumps(revived.get_config(), sort_keys=True) == json.dumps(config, sort_keys=True)
    assert not set(vars(layer)) ^ set(vars(again)), "the revived layer has other attributes"


def _fit_step(cls, init, arguments, tmp_path):
    """A functional model around the layer trains for a step and comes back from disk with equal outputs."""
    inputs = _symbolic(arguments)
    outputs = cls(**init)(*inputs)
    flat = tree.flatten(inputs)
    extra = keras.layers.Dense(1)(keras.layers.Flatten()(keras.ops.cast(flat[0], "float32")))
    model = keras.Model(flat, [extra, outputs])
    model.compile("sgd", loss=["mse", None])
    data = tree.flatten(arguments)
    target = np.zeros((len(data[0]), 1), "float32")
    history = model.fit(data, [target, None], batch_size=len(target), verbose=0)
    assert np.isfinite(history.history["loss"][0])
    model.save(tmp_path / "layer.keras")
    loaded = keras.saving.load_model(tmp_path / "layer.keras", safe_mode=True)
    for before, after in zip(model(data), loaded(data), strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(before), keras.ops.convert_to_numpy(after))


def _policy(cls, init, policy, arguments, output_dtype):
    layer = cls(**init, dtype=policy)
    output = layer(*arguments)
    assert keras.backend.standardize_dtype(output.dtype) == (output_dtype or layer.compute_dtype)
    assert {weight.dtype for weight in layer.weights} <= {"float32"}


def check_layer(cls, init, arguments, tmp_path, *, shape, trainable=0, non_trainable=0, output_dtype=None):
    """Assert the layer contract.

    Args:
        cls: the layer class; `init`: its constructor's arguments.
        arguments: what `call` takes, a tuple of arrays or of dicts of arrays.
        shape: of the output; `trainable`, `non_trainable`: numbers of weights.
        output_dtype: when it does not follow the policy.
    """
    _config_round_trip(cls, init)
    layer = cls(**init)
    symbolic = layer(*_symbolic(arguments))
    assert layer.built
    assert len(symbolic.shape) == len(shape)
    eager = layer(*arguments)
    assert tuple(eager.shape) == shape
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (trainable, non_trainable)
    assert len({weight.path for weight in layer.weights}) == len(layer.weights)
    for policy in POLICIES:
        _policy(cls, init, policy, arguments, output_dtype)
    _fit_step(cls, init, arguments, tmp_path)
