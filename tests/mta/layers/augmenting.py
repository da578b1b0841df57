"""What every augmentation layer keeps to."""

import keras
import numpy as np
import tensorflow as tf

from tests.layer_case import check_layer


def images(count=6, side=16, seed=0):
    """Noise (count, side, side, 3) uint8 with all levels, pink on the whole."""
    generator = np.random.default_rng(seed)
    noise = generator.integers(-60, 60, (count, side, side, 3)) + np.array([200, 150, 190])
    noise[:, 0, :2] = [[0, 0, 0], [255, 255, 255]]
    return noise.clip(0, 255).astype("uint8")


def augmented(layer, batch):
    return np.asarray(layer(batch, training=True))


def check_augmentation(cls, tmp_path, **init):
    """The layer contract; identity outside of training; draws by seed and state; each image its own; float32."""
    batch = images()
    check_layer(cls, {"seed": 3, **init}, (batch,), tmp_path, shape=batch.shape, output_dtype="float32")
    layer = cls(**init, seed=3)
    np.testing.assert_array_equal(layer(batch), batch.astype("float32"))
    first, second = augmented(layer, batch), augmented(layer, batch)
    assert first.dtype == np.float32
    assert (first != second).any()
    assert first.min() >= 0
    assert first.max() <= 255
    check_draws(cls, batch, first, second, **init)
    check_each_its_own(cls, **init)
    check_precision(cls, batch, first, **init)
    check_gradient(layer, batch)


def check_draws(cls, batch, first, second, **init):
    again, other = cls(**init, seed=3), cls(**init, seed=4)
    np.testing.assert_array_equal(augmented(again, batch), first)
    assert (augmented(other, batch) != first).any()
    saved = [keras.ops.convert_to_numpy(variable) for variable in again.variables]
    np.testing.assert_array_equal(augmented(again, batch), second)
    for variable, value in zip(again.variables, saved, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(augmented(again, batch), second)


def check_each_its_own(cls, **init):
    """Copies of one image come out different, and what comes out of one does not depend on the others."""
    layer, copies = cls(**init, seed=5), np.repeat(images(1), 40, axis=0)
    drawn = layer.draw(40)
    results = np.asarray(layer.transform(copies.astype("float32"), *drawn))
    assert len(np.unique(results.reshape(40, -1), axis=0)) > 6
    alone = layer.transform(copies[7:8].astype("float32"), *(values[7:8] for values in drawn))
    np.testing.assert_allclose(alone[0], results[7], rtol=1e-5, atol=1e-4)


def check_precision(cls, batch, expected, **init):
    """Under mixed precision a model around the layer still computes images in float32."""
    with Policy("mixed_bfloat16"):
        image = keras.Input(batch.shape[1:], name="image")
        model = keras.Model(image, cls(**init, seed=3)(image))
    np.testing.assert_allclose(model(batch, training=True), expected, atol=1e-3)


class Policy:
    """A dtype policy for a block."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.name)

    def __exit__(self, *error):
        keras.config.set_dtype_policy(self.before)


def check_gradient(layer, batch):
    x = tf.constant(batch, "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer(x, training=True))
    gradient = np.asarray(tape.gradient(total, x))
    assert np.isfinite(gradient).all()
    assert (gradient != 0).any()
