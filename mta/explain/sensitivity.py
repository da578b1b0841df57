"""How the tumor logit answers when activations move along a direction (Kim et al. 2018; Graziani et al. 2018)."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from data_prep.console import progress
from data_prep.errors import InputError
from mta.explain.layers import layer_output
from mta.explain.opening import Subject
from mta.predicting import BATCH

TUMOR = "tumor"


def logit_gradients(
    subject: Subject, rows: np.ndarray, names: Sequence[str], quiet: bool = True
) -> dict[str, np.ndarray]:
    """Layer name -> gradient (rows, width) of the tumor logit with respect to the activations of that layer.

    Of a map it is the sum over positions: what the logit gains when the whole map, and so its mean, moves by one.
    Layers that the tumor head does not hear are left out.

    Raises:
        InputError: on another backend than TensorFlow, and for a layer that is not there.
    """
    require_tensorflow()
    step, heard = _gradient_step(subject.trained.model, names)
    inputs = subject.inputs()
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    parts = []
    for batch in progress(batches, "batches of gradients", quiet=quiet):
        fed = next(iter(inputs.take(batch).values())).astype(np.float32)
        # Another size of batch would be traced anew.
        filled = np.concatenate([fed, np.repeat(fed[-1:], BATCH - len(fed), axis=0)])
        parts.append([np.asarray(value)[: len(batch)] for value in step(keras.ops.convert_to_tensor(filled))])
    return {name: np.concatenate(values) for name, values in zip(heard, zip(*parts, strict=True), strict=True)}


def require_tensorflow() -> None:
    """Raise InputError where Keras runs on another backend than TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"gradients are computed on TensorFlow alone, Keras runs on {keras.backend.backend()}; set "
            "KERAS_BACKEND=tensorflow"
        )


def _gradient_step(model: Any, names: Sequence[str]) -> tuple[Any, list[str]]:
    """A compiled function from a batch of inputs to gradients, and the layers that they are for, in its order."""
    import tensorflow as tf

    tensors = [layer_output(model, name) for name in names]
    network = keras.Model(model.input, [model.output[TUMOR], *tensors])

    def gradients(fed: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(fed)
            logit, *values = network(fed, training=False)
        return tape.gradient(logit, values)

    example = tf.zeros((1, *model.input.shape[1:]))
    heard = [gradient is not None for gradient in gradients(example)]
    kept = [name for name, hears in zip(names, heard, strict=True) if hears]

    @tf.function
    def step(fed: Any) -> list[Any]:
        found = [gradient for gradient in gradients(fed) if gradient is not None]
        return [tf.reduce_sum(tf.cast(one, tf.float32), axis=list(range(1, len(one.shape) - 1))) for one in found]

    # Called by itself it would warn of retracing when it is the fifth of its kind in a process.
    return step.get_concrete_function(tf.TensorSpec((BATCH, *model.input.shape[1:]), tf.float32)), kept
