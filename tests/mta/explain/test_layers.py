"""Layers are found by name, and a sensible few are taken where none is named."""

import keras
import pytest

from data_prep.errors import InputError
from mta.explain.layers import default_layers, features_layer, layer_output
from mta.model import ModelSpec, build_model


def model(backbone="SmallCNN", size=64, **changed):
    spec = {"backbone": backbone, "weights": None, "trainable": "none", "size": size, "dense": (16, 8), "domains": 2}
    return build_model(ModelSpec(**{**spec, **changed}))


@pytest.fixture(scope="module")
def small():
    return model()


def test_a_layer_by_name(small):
    assert layer_output(small, "block2_relu").shape == (None, 32, 32, 32)
    assert layer_output(small, "features_2").shape == (None, 8)


@pytest.mark.parametrize(
    ("name", "offered"),
    [("block2_rleu", "block2_relu"), ("feature_1", "features_1"), ("POOL", "pool"), ("qqq", "it has pool, features_1")],
)
def test_the_nearest_names_are_offered(small, name, offered):
    with pytest.raises(InputError, match=f"no layer '{name}'; .*{offered}"):
        layer_output(small, name)


def test_part_of_a_name_finds_whole_ones():
    inception = model("InceptionV3", 80)
    with pytest.raises(InputError, match=r"no layer 'mixed'; the nearest are .*mixed"):
        layer_output(inception, "mixed")


def test_a_layer_of_several_outputs_is_refused():
    image = keras.Input((4, 4, 3))
    parts = keras.layers.LSTM(3, return_state=True, name="states")(keras.layers.Reshape((4, 12))(image))
    with pytest.raises(InputError, match="'states' has no single map or vector"):
        layer_output(keras.Model(image, parts), "states")


def test_default_layers_of_the_small_network(small):
    assert default_layers(small) == ["block2_relu", "block3_relu", "block4_relu", "pool", "features_1", "features_2"]
    assert features_layer(small) == "features_2"


@pytest.mark.parametrize(
    ("backbone", "size", "stages"),
    [
        ("InceptionV3", 224, ["activation_4", "mixed2", "mixed7"]),  # mixed10 is the trunk's output
        ("ResNet50", 64, ["conv2_block3_out", "conv3_block4_out", "conv4_block6_out"]),
        ("MobileNetV2", 64, ["block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"]),
    ],
)
def test_default_layers_end_the_scales_of_a_trunk(backbone, size, stages):
    keras.utils.clear_session()
    assert default_layers(model(backbone, size)) == [*stages, "pool", "features_1", "features_2"]


def test_a_network_on_embeddings_begins_with_their_standardization():
    embedded = build_model(ModelSpec(concepts=(), domains=0, embedding=12, dense=(8, 4)))
    assert default_layers(embedded) == ["standardization", "features_1", "features_2"]


def test_another_network_has_its_hidden_dense_layers():
    x = keras.Input((5,))
    y = keras.layers.Dense(1, name="out")(keras.layers.Dense(4, name="hidden")(x))
    assert default_layers(keras.Model(x, y)) == ["hidden"]
