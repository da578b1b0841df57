"""Layers of a network by name, and the ones worth looking at when none is named."""

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from math import log2
from typing import Any

import keras

from data_prep.errors import InputError

STAGES = 3
_OFFERED = 4
_POOL, _STANDARDIZATION = "pool", "standardization"
# They change the frame or the scale of a map, or nothing in inference: the layer before them says the same.
_PLAIN = (keras.layers.ZeroPadding2D, keras.layers.Dropout, keras.layers.Rescaling, keras.layers.Normalization)


def layer_output(model: Any, name: str) -> Any:
    """The output tensor (n, …, width) of the layer `name` in the functional `model`.

    Raises:
        InputError: when there is no such layer (the nearest names are offered), or it has not one output.
    """
    layers = {layer.name: layer for layer in model.layers}
    if name not in layers:
        raise InputError(f"the model has no layer {name!r}; {_offer(name, list(layers))}")
    output = layers[name].output
    if isinstance(output, list | tuple | dict) or len(output.shape) < 2:
        raise InputError(f"layer {name!r} has no single map or vector of a patch; choose another layer")
    return output


def _offer(name: str, names: list[str]) -> str:
    # Likeness of letters finds a slip ("block_relu"); part of a name ("mixed") is not like any whole one.
    near = get_close_matches(name, names, _OFFERED, cutoff=0.4)
    near += [other for other in reversed(names) if name.lower() in other.lower() and other not in near]
    if near:
        return f"the nearest are {', '.join(near[:_OFFERED])}"
    return f"it has {', '.join(_standing_names(names) or names[-_OFFERED:])} and others"


def _standing_names(names: Sequence[str]) -> list[str]:
    """Of the layer `names` of a model of ours those that do not depend on its trunk."""
    below = _POOL if _POOL in names else _STANDARDIZATION  # standardized pooled features are those on another scale
    return [name for name in names if name == below or name.startswith("features_")]


def default_layers(model: Any) -> list[str]:
    """Names of layers in the order of computation: three spread over the trunk, the pooled features, each dense layer.

    Of the trunk: the last map that everything above depends on (such as the end of a block) of each scale (halving of
    the image), of three scales; its last scale is left out, since the pooled features are its mean. For embeddings: the
    standardized input and each dense layer. For another network than ours: its dense layers but the outputs.
    """
    stages = _stages(model)
    dense = _standing_names([layer.name for layer in model.layers]) or _hidden_dense(model)
    return [*stages, *dense]


def features_layer(model: Any) -> str:
    """The name of the last layer that all heads share: the last of `default_layers`."""
    return default_layers(model)[-1]


def trunk_features(model: Any) -> str:
    """The name of the layer that the shared dense layers begin with: the pooled features, or the embeddings."""
    names = default_layers(model)
    return next((name for name in names if name in (_POOL, _STANDARDIZATION)), names[0])


def _hidden_dense(model: Any) -> list[str]:
    outputs = {id(tensor) for tensor in keras.tree.flatten(model.output)}
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    return [layer.name for layer in dense if id(layer.output) not in outputs]


def _stages(model: Any) -> list[str]:
    """The last layers of the last scales before that of the trunk's output."""
    last: dict[int, str] = {}
    for layer in _bottlenecks(model):
        shape = layer.output.shape
        if len(shape) == 4 and not isinstance(layer, _PLAIN):
            last[round(log2(max(1, shape[1])))] = layer.name
    return list(last.values())[:-1][-STAGES:]


def _bottlenecks(model: Any) -> list[Any]:
    """Layers through whose one output everything goes that is computed after them, in the order of computation."""
    operations = [step for step in model.operations if not isinstance(step, keras.layers.InputLayer)]
    waiting = Counter(id(tensor) for step in operations for tensor in keras.tree.flatten(step.input))
    alive: set[int] = set()
    found = []
    # Deeper operations come first: beside one that everything goes through there is no other of its depth.
    for step in operations:
        for tensor in keras.tree.flatten(step.input):
            waiting[id(tensor)] -= 1
            if not waiting[id(tensor)]:
                alive.discard(id(tensor))
        made = keras.tree.flatten(step.output)
        alive |= {id(tensor) for tensor in made if waiting[id(tensor)]}
        if len(made) == 1 and alive == {id(made[0])} and isinstance(step, keras.layers.Layer):
            found.append(step)
    return found
