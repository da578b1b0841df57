"""A network cut at a layer, so that what the layer says can be changed and the rest run on."""

from dataclasses import dataclass
from typing import Any

import keras

from mta.explain.layers import layer_output


@dataclass(frozen=True)
class CutAt:
    """A network in two parts that share its layers.

    Attributes:
        lower: from the input to a list of tensors: the output of the layer, then what else passes it by (shortcuts).
        upper: from that list (or its one tensor) to the outputs of the network.
    """

    lower: Any
    upper: Any


def cut_at(model: Any, name: str) -> CutAt:
    """`model` (functional, dict outputs) cut above the layer `name`.

    Raises:
        InputError: when there is no such layer.
    """
    target = layer_output(model, name)
    crossing = [target, *_passing(model, target)]
    # Keras takes no list of one tensor.
    fed = crossing if len(crossing) > 1 else target
    return CutAt(keras.Model(model.input, crossing), keras.Model(fed, model.output))


def _passing(model: Any, target: Any) -> list[Any]:
    """Tensors made without `target` that something made with it takes, or that are outputs; each once."""
    above = _made_with(model, target)
    found: dict[int, Any] = {}
    for operation in model.operations:
        if id(operation.output) in above and operation.output is not target:
            found |= {id(tensor): tensor for tensor in keras.tree.flatten(operation.input) if id(tensor) not in above}
    found |= {id(tensor): tensor for tensor in model.output.values() if id(tensor) not in above}
    return list(found.values())


def _made_with(model: Any, target: Any) -> set[int]:
    """Ids of `target` and of the tensors that depend on it."""
    above = {id(target)}
    for operation in model.operations:  # in the order of computation
        if any(id(tensor) in above for tensor in keras.tree.flatten(operation.input)):
            above |= {id(tensor) for tensor in keras.tree.flatten(operation.output)}
    return above


def crossing_of(cut: CutAt, images: Any) -> list[Any]:
    """The tensors (n, …) of `cut.lower` for `images`, that of the layer first."""
    return list(keras.tree.flatten(cut.lower(images, training=False)))  # Keras gives a lone one without its list
