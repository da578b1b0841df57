"""Cutting a network where learning begins: what is below never changes, so it needs to be computed only once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from mta.model import STANDARDIZATION

FEATURE = "feature_{}"


@dataclass(frozen=True)
class Cut:
    """A network in two parts that share its layers.

    Attributes:
        lower: from the image to the list of tensors that cross the cut, in the order of the `feature_<k>`.
        upper: from `{"feature_0": …, "feature_1": …}` to the outputs of the network.
    """

    lower: Any
    upper: Any

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each crossing tensor, without the batch."""
        return [tuple(tensor.shape[1:]) for tensor in self.lower.outputs]

    def frozen_weights(self) -> list[Any]:
        """The variables below the cut, in a fixed order."""
        return list(self.lower.variables)

    def up_to(self, tensor: Any) -> Any:
        """The network from `{"feature_0": …}` to `tensor` of the model that was cut."""
        return _above(self.lower.outputs, tensor)


def cut_frozen(model: Any) -> Cut | None:
    """`model` cut above the last layers that neither learn nor behave otherwise in training.

    The tensors that cross are those which a learning layer, or an output, takes from the part that does not learn.
    For the paper's InceptionV3: the maps that enter the five convolutions, and the branch of the last block without
    any.

    Args:
        model: functional model with one input and dict outputs, its layers frozen as they will be in training.

    Returns:
        None where no weights would be below the cut: there is nothing to save.
    """
    order = _Graph(model).crossing()
    lower = keras.Model(model.input, order, name="frozen")
    if not lower.variables:
        return None
    return Cut(lower, _above(order, model.output))


def _above(order: list[Any], output: Any) -> Any:
    named = [
        keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=FEATURE.format(k)) for k, tensor in enumerate(order)
    ]
    crossing = [given for given, tensor in zip(named, order, strict=True) if tensor is output]
    above = crossing[0] if crossing else keras.Model(order, output, name="learning")(named)
    return keras.Model({tensor.name: tensor for tensor in named}, above, name="upper")


class _Graph:
    """The tensors of a functional model, told apart by whether training can change them."""

    def __init__(self, model: Any) -> None:
        self._outputs = list(model.output.values())
        self._constant: dict[int, bool] = {}

    def crossing(self) -> list[Any]:
        """Constant tensors that feed something that learns, or are outputs, each once."""
        found: dict[int, Any] = {}
        seen: set[int] = set()
        waiting = list(reversed(self._outputs))
        while waiting:
            tensor = waiting.pop()
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            if self._is_constant(tensor):
                found[id(tensor)] = tensor
            else:
                waiting += reversed(list(_below(tensor)))
        return list(found.values())

    def _is_constant(self, tensor: Any) -> bool:
        # By recursion this would be as deep as the network.
        waiting = [tensor]
        while waiting:
            top = waiting[-1]
            below = [one for one in _below(top) if id(one) not in self._constant]
            waiting += below
            if not below:
                waiting.pop()
                self._constant[id(top)] = _steady(_maker(top)) and all(self._constant[id(one)] for one in _below(top))
        return self._constant[id(tensor)]


def _maker(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _below(tensor: Any) -> Iterator[Any]:
    history = tensor._keras_history
    yield from history.operation._inbound_nodes[history.node_index].input_tensors


def _steady(operation: Any) -> bool:
    """Whether `operation` gives the same for the same input, in training as in inference, from step to step."""
    if getattr(operation, "trainable_weights", []) or hasattr(operation, "seed_generator"):
        return False
    if operation.name == STANDARDIZATION:  # it is the run's: what is below is the same for runs on other rows
        return False
    return not (isinstance(operation, keras.layers.BatchNormalization) and operation.trainable)
