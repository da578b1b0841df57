"""Gradients of the logit are what moving the activations does to it."""

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta.explain import sensitivity
from mta.explain.opening import open_subjects
from mta.explain.sensitivity import logit_gradients


@pytest.fixture(scope="module")
def subject(tiny_run):
    return open_subjects([tiny_run])[0]


def test_at_the_last_layer_the_gradient_is_the_kernel_of_the_head(subject):
    found = logit_gradients(subject, np.arange(5), ["features_1"])["features_1"]
    kernel = subject.trained.model.get_layer("tumor").get_weights()[0][:, 0]
    np.testing.assert_allclose(found, np.tile(kernel, (5, 1)), rtol=1e-5)


def test_gradients_are_finite_differences_of_the_rest_of_the_network(subject):
    """Of the pooled features, and of a map moved as a whole."""
    model, rows = subject.trained.model, np.array([3, 30])
    found = logit_gradients(subject, rows, ["block4_relu", "pool", "features_1"])
    images = subject.inputs().take(rows)["image"]
    for name, step in (("pool", 1e-3), ("block4_relu", 1e-3)):
        lower = keras.Model(model.input, model.get_layer(name).output).predict_on_batch(images)
        upper = keras.Model(model.get_layer(name).output, model.output["tumor"])
        for channel in (0, 7):
            moved = np.zeros(lower.shape[-1], "float32")
            moved[channel] = step
            up, down = (upper.predict_on_batch(lower + sign * moved)[:, 0] for sign in (1, -1))
            np.testing.assert_allclose(found[name][:, channel], (up - down) / (2 * step), rtol=0.05, atol=2e-3)


def test_many_rows_come_in_their_order(subject):
    rows = np.arange(48)
    whole = logit_gradients(subject, np.concatenate([rows, rows]), ["pool"])["pool"]
    assert whole.shape == (96, 96)
    np.testing.assert_allclose(whole[48:], whole[:48], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(
        logit_gradients(subject, rows[40:], ["pool"])["pool"], whole[40:48], rtol=1e-4, atol=1e-7
    )


def test_layers_beside_the_way_to_the_logit_are_left_out(subject):
    assert list(logit_gradients(subject, np.arange(2), ["ncount", "pool"])) == ["pool"]


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(sensitivity.keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="Keras runs on jax; set KERAS_BACKEND=tensorflow"):
        sensitivity.require_tensorflow()
