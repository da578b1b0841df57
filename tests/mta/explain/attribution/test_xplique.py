"""Our maps beside those of Xplique 2.0.2, in an environment that has it (`docs/maps.md`)."""

import keras
import numpy as np
import pytest

from mta.explain.attribution import Heads, readable
from mta.explain.attribution.integrated_gradients import integrated_gradients
from mta.explain.attribution.smoothgrad import smoothgrad
from mta.explain.mapping import Mapper
from mta.explain.perturbing import area_under, deletion_curve, ranks
from mta.model import single_head

pytestmark = pytest.mark.slow
xplique = pytest.importorskip("xplique", reason="needs Xplique 2.0.2 in an environment of its own (docs/maps.md)")

HEADS = ("tumor", "ncount", "domain")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")


def targets(model, head, images):
    """One-hot rows of the centre that is likeliest, or ones."""
    width = model.output[head].shape[-1]
    return np.eye(width, dtype="float32")[np.asarray(model(images)[head]).argmax(axis=1)]


def ours(model, head):
    return Heads(readable(model), [head])


@pytest.mark.parametrize("head", HEADS)
def test_saliency_and_integrated_gradients(model, images, head):
    from xplique.attributions import IntegratedGradients, Saliency

    single, heads = single_head(readable(model), head), ours(model, head)
    classes = heads.likeliest_centre([images])
    theirs = np.asarray(Saliency(single, reducer=None)(images, targets(model, head, images)))
    np.testing.assert_allclose(np.abs(heads.gradients([images], classes)[0]), theirs, rtol=1e-3, atol=1e-8)
    explainer = IntegratedGradients(single, steps=20, baseline_value=255.0, reducer=None)
    theirs = np.asarray(explainer(images, targets(model, head, images)))
    found = integrated_gradients(lambda x: heads.gradients([x], classes), images, 255.0, 20)[0]
    np.testing.assert_allclose(found, theirs, rtol=1e-3, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("head", HEADS)
def test_grad_cam(model, images, head):
    from xplique.attributions import GradCAM

    mapper = Mapper(model, [head], "block3_relu")
    found = mapper.coarse(images, mapper.whole.likeliest_centre([images]))[0]
    explainer = GradCAM(single_head(readable(model), head), conv_layer="block3_relu")
    theirs = np.asarray(explainer(images, targets(model, head, images)))[..., 0]
    large = np.asarray(keras.ops.image.resize(found[..., None], (32, 32), interpolation="bicubic"))[..., 0]
    np.testing.assert_allclose(large, theirs, rtol=1e-3, atol=1e-4 * theirs.max())


def test_smoothgrad_up_to_the_noise(model, images):
    from xplique.attributions import SmoothGrad

    heads = ours(model, "tumor")
    theirs = np.asarray(
        SmoothGrad(single_head(readable(model), "tumor"), nb_samples=400, noise=20.0, reducer=None)(
            images, np.ones((4, 1), "float32")
        )
    )
    found = smoothgrad(lambda x: heads.gradients([x], np.zeros(4, int)), images, 20.0, 400)[0][0]
    assert np.corrcoef(found.ravel(), theirs.ravel())[0, 1] > 0.97


def test_deletion(model, images):
    from xplique.metrics import Deletion

    single, heads = single_head(readable(model), "tumor"), ours(model, "tumor")
    maps = np.random.default_rng(1).random((4, 32, 32)).astype("float32")
    metric = Deletion(single, images, np.ones((4, 1), "float32"), steps=16, baseline_mode=255.0)
    theirs = metric.detailed_evaluate(maps[..., None])
    curve = deletion_curve(
        lambda x: heads.scores([x], np.zeros(4, int))[0], images, ranks(maps), np.full_like(images, 255), 16
    )
    np.testing.assert_allclose(curve.mean(axis=1), list(theirs.values()), rtol=1e-3, atol=1e-5)
    assert area_under(curve).shape == (4,)
