"""What the heads of a network say, and how that changes with what it is fed."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data_prep.errors import InputError
from mta.layers import GradientReversal

DOMAIN = "domain"


def readable(model: Any) -> Any:
    """`model` with the same inputs, weights and layer names, whose gradients can be read.

    Without gradient reversal, whose gradients have the wrong sign; and its softmax outputs are log-probabilities, whose
    gradients do not vanish where the network is sure. `model` stays as it is. Cut a network at a layer
    (`mta.explain.cutting`) before this: the layers of a copy still point into the original.
    """
    softmax = [_maker(tensor) for tensor in model.output.values() if _is_softmax(_maker(tensor))]
    made = []

    def replaced(layer: Any) -> Any:
        if isinstance(layer, GradientReversal):
            return keras.layers.Identity(name=layer.name)
        if any(layer is one for one in softmax):
            made.append((type(layer).from_config({**layer.get_config(), "activation": "log_softmax"}), layer))
            return made[-1][0]
        return layer

    copy = keras.models.clone_model(model, clone_function=replaced)
    for new, old in made:
        new.set_weights(old.get_weights())
    return copy


def _maker(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _is_softmax(layer: Any) -> bool:
    return getattr(layer, "activation", None) is keras.activations.softmax


def head_names(model: Any, wanted: Sequence[str] = ()) -> list[str]:
    """`wanted` heads of `model`, or all: tumor, the concepts by name, domain.

    Raises:
        InputError: when there is no such head.
    """
    every = list(model.output)
    ordered = [name for name in ("tumor", *sorted(set(every) - {"tumor", DOMAIN}), DOMAIN) if name in every]
    for name in wanted:
        if name not in every:
            raise InputError(f"the model has no head {name!r}; it has {', '.join(ordered)}")
    return list(dict.fromkeys(wanted)) or ordered


class Heads:
    """Scores of heads of a `readable` network: tumor logit, standardized concepts, log-probability of one centre.

    Args:
        network: functional model with dict outputs, of one input tensor or a list of several.
        names: heads wanted, T of them.
    """

    def __init__(self, network: Any, names: Sequence[str]) -> None:
        self.network, self.names = network, list(names)
        self._scores = tf.function(self._tensors, reduce_retracing=True)
        self._gradients = tf.function(self._slopes, reduce_retracing=True)

    def likeliest_centre(self, fed: Sequence[np.ndarray]) -> np.ndarray:
        """Number (n,) of the centre that the network finds likeliest for `fed`; 0 where it has no such head."""
        inputs = _floats(fed)
        outputs = self.network(inputs if len(inputs) > 1 else inputs[0], training=False)
        return np.asarray(outputs[DOMAIN]).argmax(axis=1) if DOMAIN in outputs else np.zeros(len(fed[0]), int)

    def scores(self, fed: Sequence[np.ndarray], classes: np.ndarray) -> np.ndarray:
        """Scores (T, n) for the inputs `fed`, arrays (n, …); `classes` (n,): number of the centre that is meant."""
        return np.asarray(self._scores(_floats(fed), tf.constant(classes, tf.int32)))

    def gradients(self, fed: Sequence[np.ndarray], classes: np.ndarray) -> np.ndarray:
        """Gradient of each score with respect to the first of `fed`: (T, n, …) float32."""
        return np.asarray(self._gradients(_floats(fed), tf.constant(classes, tf.int32)))

    def _tensors(self, fed: list[Any], classes: Any) -> Any:
        outputs = self.network(fed if len(fed) > 1 else fed[0], training=False)
        values = [
            tf.gather(outputs[name], classes, batch_dims=1) if outputs[name].shape[-1] > 1 else outputs[name][:, 0]
            for name in self.names
        ]
        return tf.stack([tf.cast(value, tf.float32) for value in values])

    def _slopes(self, fed: list[Any], classes: Any) -> Any:
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(fed[0])
            scores = tf.unstack(self._tensors(fed, classes), num=len(self.names))
        zero = tf.UnconnectedGradients.ZERO
        return tf.stack([tape.gradient(score, fed[0], unconnected_gradients=zero) for score in scores])


def _floats(fed: Sequence[np.ndarray]) -> list[Any]:
    return [tf.convert_to_tensor(np.asarray(values, np.float32)) for values in fed]
