"""Maps with known answers."""

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta.explain.attribution import Heads, grad_cam, integrated_gradients, readable, smoothgrad
from mta.explain.attribution.heads import head_names


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")


def test_a_readable_network_says_the_same(model, images):
    copy = readable(model)
    for name in ("tumor", "ncount"):
        np.testing.assert_allclose(copy(images)[name], model(images)[name], rtol=1e-5)
    np.testing.assert_allclose(np.exp(copy(images)["domain"]), model(images)["domain"], rtol=1e-5)
    assert model.get_layer("domain").activation is keras.activations.softmax


def test_gradients_of_the_domain_have_the_sign_of_the_network_not_of_the_reversal(model, images):
    heads = Heads(readable(model), ["domain"])
    classes = heads.likeliest_centre([images])
    slope = heads.gradients([images], classes)[0]
    length = np.sqrt((slope**2).sum(axis=(1, 2, 3), keepdims=True))
    higher = heads.scores([images + 0.5 * slope / length], classes) - heads.scores([images], classes)
    np.testing.assert_allclose(higher[0], 0.5 * length.ravel(), rtol=0.1)
    assert (higher > 0).all()


def test_each_head_has_its_own_gradient(model, images):
    together = Heads(readable(model), ["tumor", "ncount"]).gradients([images], np.zeros(3, int))
    alone = Heads(readable(model), ["ncount"]).gradients([images], np.zeros(3, int))
    np.testing.assert_allclose(together[1], alone[0], rtol=1e-5, atol=1e-9)
    assert np.abs(together[0] - together[1]).max() > 1e-6


def test_heads_in_the_order_of_the_panels(model):
    assert head_names(model) == ["tumor", "ncount", "domain"]
    assert head_names(model, ["domain", "domain"]) == ["domain"]
    with pytest.raises(InputError, match="no head 'narea'; it has tumor, ncount, domain"):
        head_names(model, ["narea"])


def test_grad_cam_of_a_network_made_by_hand():
    # Two channels; the score is 2 * mean(channel 0) - mean(channel 1), so that the weights are 2 / 4 and -1 / 4.
    activation = np.zeros((1, 2, 2, 2), "float32")
    activation[0, 0, 0] = 4, 0
    activation[0, 0, 1] = 1, 2
    activation[0, 1, 0] = 1, 3
    source = keras.Input((2, 2, 2))
    score = keras.ops.mean(source[..., 0], axis=(1, 2)) * 2 - keras.ops.mean(source[..., 1], axis=(1, 2))
    heads = Heads(keras.Model(source, {"tumor": score[:, None]}), ["tumor"])
    found = grad_cam(activation, heads.gradients([activation], np.zeros(1, int)))
    np.testing.assert_allclose(found[0, 0], [[2, 0], [0, 0]])


def test_integrated_gradients_add_up_to_the_change_of_the_score(model, images):
    heads = Heads(readable(model), ["tumor", "ncount", "domain"])
    classes = heads.likeliest_centre([images])
    found = integrated_gradients(lambda x: heads.gradients([x], classes), images, 255.0, 300)
    change = heads.scores([images], classes) - heads.scores([np.full_like(images, 255)], classes)
    np.testing.assert_allclose(found.sum(axis=(2, 3, 4)), change, atol=0.02 * np.abs(change).max())
    assert np.abs(change).max() > 1e-3


def test_integrated_gradients_of_a_line_are_exact_with_two_points():
    weights = np.arange(12.0).reshape(2, 2, 3).astype("float32")
    images = np.ones((1, 2, 2, 3), "float32")
    found = integrated_gradients(lambda x: np.broadcast_to(weights, (1, *x.shape)), images, 0.25, 2)
    np.testing.assert_allclose(found[0, 0], 0.75 * weights)


def test_smoothgrad_without_noise_is_the_gradient(model, images):
    heads = Heads(readable(model), ["tumor"])
    gradient = heads.gradients([images], np.zeros(3, int))
    mean, square = smoothgrad(lambda x: heads.gradients([x], np.zeros(3, int)), images, 0.0, 7)
    np.testing.assert_array_equal(mean, gradient)
    np.testing.assert_array_equal(square, gradient**2)


def test_smoothgrad_of_a_parabola_sees_the_noise():
    # The gradient of x^2 is 2 x: its mean is 2 x, its mean square 4 (x^2 + sigma^2).
    mean, square = smoothgrad(lambda x: 2 * x[None], np.full((1, 40, 40, 3), 5, "float32"), 2.0, 50, seed=1)
    np.testing.assert_allclose(mean.mean(), 10, rtol=0.01)
    np.testing.assert_allclose(square.mean(), 4 * (25 + 4), rtol=0.01)
