"""Which layers of a trunk learn."""

import re
from typing import Any

import keras

from data_prep.errors import InputError

# The five convolutions of the last block (mixed10), counted from 1 in construction order, and their kernels.
_PAPER_CONVOLUTIONS = {
    86: (1, 1, 2048, 320),
    88: (1, 3, 384, 384),
    89: (3, 1, 384, 384),
    92: (1, 3, 384, 384),
    93: (3, 1, 384, 384),
}


def _number(layer: Any) -> int:
    match = re.search(r"_(\d+)$", layer.name)
    return int(match[1]) if match else 0


def paper_convolutions(trunk: Any) -> list[Any]:
    """The five convolutions that the paper trains, found by position and checked by their kernels.

    Automatic names go on counting from one network to the next in a session, and `layers` is not in
    construction order; the number that ends a name is.

    Raises:
        InputError: when the trunk is not InceptionV3.
    """
    every = sorted((layer for layer in trunk.layers if isinstance(layer, keras.layers.Conv2D)), key=_number)
    if len(every) != 94:
        raise InputError("trainable 'paper' names five convolutions of InceptionV3; give last:N, all or none")
    chosen = {position: every[position - 1] for position in _PAPER_CONVOLUTIONS}
    for position, layer in chosen.items():
        if tuple(layer.kernel.shape) != _PAPER_CONVOLUTIONS[position]:
            raise InputError(
                f"convolution {position} is {tuple(layer.kernel.shape)}: this is not the paper's InceptionV3"
            )
    return list(chosen.values())


def _in_construction_order(layers: list[Any]) -> list[Any]:
    """`layers` in the order of construction, as far as their automatic names ("conv2d", "conv2d_1", ...) tell it.

    `layers` of a trunk are in topological order: parallel branches are interleaved by depth. Each kind of layer has
    a counter of its own, so that automatic names are sorted among the places of their kind; chosen names stay put.
    """
    ordered = list(layers)
    automatic = [re.fullmatch(rf"{_snake_case(type(layer).__name__)}(_\d+)?", layer.name) for layer in layers]
    for kind in {type(layer) for layer in layers}:
        places = [place for place, layer in enumerate(layers) if type(layer) is kind and automatic[place]]
        for place, layer in zip(places, sorted((layers[place] for place in places), key=_number), strict=True):
            ordered[place] = layer
    return ordered


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", name).lower()


def _last(trunk: Any, count: int) -> list[Any]:
    # Kernels are what has more than one axis: normalization and scales are left out.
    weighted = [layer for layer in trunk.layers if any(len(weight.shape) > 1 for weight in layer.weights)]
    if count > len(weighted):
        raise InputError(f"trainable last:{count}: the trunk has {len(weighted)} layers with a kernel")
    return _in_construction_order(weighted)[-count:]


def set_trainable(trunk: Any, which: str) -> None:
    """Freeze `trunk` but for the layers that `which` names ("paper", "last:N", "all", "none").

    "last:N" counts layers with a kernel, in construction order where they have Keras' automatic, numbered names (as
    InceptionV3's do), else in topological order. Frozen batch normalization runs in inference mode, as in the
    authors' Keras fork.

    Raises:
        InputError: for "paper" on another network than InceptionV3, and for more layers than there are.
    """
    if which == "all":
        chosen = trunk.layers
    elif which == "none":
        chosen = []
    else:
        chosen = paper_convolutions(trunk) if which == "paper" else _last(trunk, int(which.removeprefix("last:")))
    for layer in trunk.layers:
        layer.trainable = False
    for layer in chosen:
        layer.trainable = True
