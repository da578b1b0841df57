"""A network cut at any layer gives what the whole gives."""

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from mta.explain.cutting import crossing_of, cut_at
from mta.model import ModelSpec, build_model


def built(backbone, size):
    keras.utils.set_random_seed(1)
    spec = ModelSpec(
        concepts=("ncount",), domains=2, backbone=backbone, weights=None, trainable="all", size=size, dense=(8,)
    )
    return build_model(spec)


@pytest.mark.parametrize(
    ("backbone", "size", "layer", "crossing"),
    [
        ("SmallCNN", 32, "block3_relu", 1),
        ("MobileNetV2", 32, "block_14_expand_relu", 2),  # the shortcut passes it by
        ("MobileNetV2", 32, "out_relu", 1),
        ("SmallCNN", 32, "features_1", 1),
    ],
)
def test_both_parts_together_are_the_whole(backbone, size, layer, crossing):
    model = built(backbone, size)
    images = np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
    cut = cut_at(model, layer)
    tensors = crossing_of(cut, images)
    assert len(tensors) == crossing
    assert tensors[0].shape[1:] == model.get_layer(layer).output.shape[1:]
    outputs = cut.upper(tensors if crossing > 1 else tensors[0])
    for name, values in model(images).items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-4, atol=1e-6)


def test_a_layer_that_is_not_there():
    with pytest.raises(InputError, match="block3_relu"):
        cut_at(built("SmallCNN", 32), "block3_rellu")
