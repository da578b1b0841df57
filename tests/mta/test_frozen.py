"""Where a network is cut: nothing that learns below, nothing frozen above that could be below."""

import keras
import numpy as np
import pytest
from keras import layers

from mta.frozen import cut_frozen
from mta.model import build_model
from mta.spec import ModelSpec
from tests.builders import as_list


def network(backbone="SmallCNN", trainable="last:1", size=32, **options):
    spec = ModelSpec(("ncount",), 2, backbone, None, trainable, size, dense=(8,), dropout=0.3, **options)
    return build_model(spec)


def patches(side, count=3):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype="uint8")


def through(cut, images):
    features = as_list(cut.lower.predict_on_batch(images))
    return cut.upper.predict_on_batch({f"feature_{k}": values for k, values in enumerate(features)})


@pytest.mark.parametrize(
    ("trainable", "options"),
    [
        ("last:1", {}),
        ("last:2", {}),
        ("none", {}),
        ("none", {"concept_head_on": "pool"}),
        ("last:1", {"cut": "block3_relu"}),
    ],
)
def test_both_parts_together_are_the_network(trainable, options):
    model = network(trainable=trainable, **options)
    found, expected = through(cut_frozen(model), patches(32)), model.predict_on_batch(patches(32))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_the_papers_network_is_cut_where_its_five_convolutions_begin():
    model = network("InceptionV3", "paper", 224)
    cut = cut_frozen(model)
    assert cut.shapes == [(5, 5, 2048), (5, 5, 384), (5, 5, 384), (5, 5, 192)]
    assert 4 * sum(int(np.prod(shape)) for shape in cut.shapes) == 300_800
    kernels = [layer for layer in model.layers if isinstance(layer, layers.Conv2D) and layer.trainable]
    assert len(kernels) == 5


@pytest.mark.parametrize("trainable", ["last:1", "last:2", "none"])
def test_all_that_learns_is_above_and_shared(trainable):
    model = network(trainable=trainable)
    cut = cut_frozen(model)
    assert not cut.lower.trainable_variables
    assert {id(v) for v in cut.upper.trainable_variables} == {id(v) for v in model.trainable_variables}


def test_a_frozen_trunk_is_kept_as_what_it_pools():
    assert cut_frozen(network(trainable="none")).shapes == [(96,)]


def test_nothing_is_cut_where_everything_learns():
    assert cut_frozen(network(trainable="all")) is None


def test_a_frozen_layer_above_one_that_learns_stays_above():
    model = network(trainable="none")
    model.get_layer("block2_conv").trainable = True
    cut = cut_frozen(model)
    assert cut.shapes == [(16, 16, 16)]
    np.testing.assert_array_equal(through(cut, patches(32))["tumor"], model.predict_on_batch(patches(32))["tumor"])


@pytest.mark.parametrize("layer", [layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.BatchNormalization()])
def test_what_behaves_otherwise_in_training_stays_above(layer):
    image = keras.Input((8, 8, 3))
    frozen = layers.Conv2D(4, 3, trainable=False, name="frozen")(image)
    output = layers.Dense(1)(layers.GlobalAveragePooling2D()(layers.ReLU()(layer(frozen))))
    assert cut_frozen(keras.Model(image, {"tumor": output})).shapes == [(6, 6, 4)]


def test_frozen_normalization_goes_below():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, trainable=False)(image)
    x = layers.BatchNormalization(trainable=False)(x)
    output = layers.Dense(1)(layers.GlobalAveragePooling2D()(x))
    assert cut_frozen(keras.Model(image, {"tumor": output})).shapes == [(4,)]
