import re

import keras
import pytest

from data_prep.errors import InputError
from mta.trainable import _number, _snake_case, paper_convolutions, set_trainable

PAPER_KERNELS = [(1, 1, 2048, 320), *[(1, 3, 384, 384), (3, 1, 384, 384)] * 2]


def chain():
    """Three kernels with normalization between them."""
    image = x = keras.Input((8, 8, 3))
    for number, normalization in enumerate((keras.layers.BatchNormalization, keras.layers.LayerNormalization), 1):
        x = keras.layers.Conv2D(4, 3, name=f"conv_{number}")(x)
        x = normalization(name=f"norm_{number}")(x)
    return keras.Model(image, keras.layers.DepthwiseConv2D(3, name="conv_3")(x))


def learning(model):
    return [layer.name for layer in model.layers if layer.trainable_weights]


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("none", []),
        ("last:1", ["conv_3"]),
        ("last:2", ["conv_2", "conv_3"]),
        ("last:3", ["conv_1", "conv_2", "conv_3"]),
        ("all", ["conv_1", "norm_1", "conv_2", "norm_2", "conv_3"]),
    ],
)
def test_layers_that_learn(which, names):
    model = chain()
    set_trainable(model, which)
    assert learning(model) == names


def test_a_later_choice_replaces_an_earlier_one():
    model = chain()
    for which in ("all", "last:1", "none", "last:1"):
        set_trainable(model, which)
    assert learning(model) == ["conv_3"]


def test_frozen_normalization_runs_in_inference_mode():
    model = chain()
    set_trainable(model, "last:3")
    before = model.get_layer("norm_1").moving_mean.numpy()
    model(keras.random.normal((4, 8, 8, 3)) + 5.0, training=True)
    assert (model.get_layer("norm_1").moving_mean.numpy() == before).all()


def test_refuses_more_layers_than_there_are():
    with pytest.raises(InputError, match="has 3 layers with a kernel"):
        set_trainable(chain(), "last:4")


def test_the_papers_choice_is_for_inception_only():
    with pytest.raises(InputError, match="InceptionV3"):
        set_trainable(chain(), "paper")


def test_refuses_another_network_with_as_many_convolutions():
    image = x = keras.Input((4, 4, 1))
    for _ in range(94):
        x = keras.layers.Conv2D(1, 1)(x)
    with pytest.raises(InputError, match="not the paper's InceptionV3"):
        paper_convolutions(keras.Model(image, x))


def test_the_second_network_of_a_session_trains_the_same_five_convolutions():
    """Automatic names count on ("conv2d_94", …) in the second: the original code found nothing there."""
    trunks = [keras.applications.InceptionV3(include_top=False, weights=None) for _ in range(2)]
    names = []
    for trunk in trunks:
        set_trainable(trunk, "paper")
        assert [tuple(layer.kernel.shape) for layer in paper_convolutions(trunk)] == PAPER_KERNELS
        assert sorted(learning(trunk)) == sorted(layer.name for layer in paper_convolutions(trunk))
        names.append(learning(trunk))
    assert not set(names[0]) & set(names[1])
    set_trainable(trunks[1], "last:5")
    first = min(_number(layer) for layer in trunks[1].layers if isinstance(layer, keras.layers.Conv2D))
    assert sorted(learning(trunks[1])) == [f"conv2d_{first + position}" for position in range(89, 94)]


def branched(first=None, last=None):
    """A short branch whose kernel is built first, a long one of two, and a joint kernel; with their names."""
    image = keras.Input((8, 8, 3))
    layers = [keras.layers.Conv2D(2, 1, name=first), *(keras.layers.Conv2D(2, 1) for _ in range(2))]
    joint = keras.layers.Conv2D(2, 1, name=last)
    long = layers[2](layers[1](image))
    model = keras.Model(image, joint(keras.layers.add([layers[0](image), long])))
    return model, [layer.name for layer in (*layers, joint)]


@pytest.mark.parametrize("last", [None, "joint"])
def test_last_counts_in_construction_order_through_branches(last):
    model, names = branched(last=last)
    assert [layer.name for layer in model.layers if layer.name in names] != names  # topological order is another
    for count in (1, 2, 3):
        set_trainable(model, f"last:{count}")
        assert set(learning(model)) == set(names[-count:])


def test_chosen_names_keep_their_topological_place():
    model, names = branched("branch_9", "joint")  # "branch_9" is no automatic name, whatever its number
    for count in (1, 2, 3):
        set_trainable(model, f"last:{count}")
        topological = [layer.name for layer in model.layers if layer.name in names]
        assert set(learning(model)) == set(topological[-count:])


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        (keras.layers.Conv2D, (1, 1)),
        (keras.layers.DepthwiseConv2D, (1,)),
        (keras.layers.Dense, (1,)),
        (keras.layers.LSTM, (1,)),
    ],
)
def test_automatic_names_are_known_by_their_kind(kind, sizes):
    assert re.fullmatch(rf"{_snake_case(kind.__name__)}(_\d+)?", kind(*sizes).name)
