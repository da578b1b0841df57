"""What chosen layers make of chosen rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from data_prep.console import progress
from data_prep.errors import InputError
from mta.data.inputs import Inputs
from mta.explain.layers import layer_output
from mta.explain.opening import Subject
from mta.predicting import BATCH, answers

Activations = dict[str, np.ndarray]


def activation_model(model: Any, names: Sequence[str], pooled: bool = True) -> Any:
    """A model from `model`'s input to the outputs of its layers `names`, float32, sharing its weights.

    Args:
        model: functional Keras model.
        names: of its layers.
        pooled: mean over the positions of a map, (n, width); otherwise maps as they are, (n, h, w, channels).

    Raises:
        InputError: for a layer that is not there.
    """
    outputs = {name: layer_output(model, name) for name in dict.fromkeys(names)}
    return keras.Model(model.input, {name: _single(tensor, pooled) for name, tensor in outputs.items()})


def _single(tensor: Any, pooled: bool) -> Any:
    # The sum over positions would be off in 16 bits.
    tensor = keras.ops.cast(tensor, "float32")
    between = tuple(range(1, len(tensor.shape) - 1))
    return keras.ops.mean(tensor, axis=between) if pooled and between else tensor


def activation_batches(
    model: Any, inputs: Inputs, rows: np.ndarray, names: Sequence[str], pooled: bool = True, quiet: bool = True
) -> Iterator[tuple[np.ndarray, Activations]]:
    """Of at most 64 `rows` at a time: their positions, and layer name -> activations (n, …) float32.

    Args as in `activation_model`; `inputs` of the model (`Predictor.inputs`), `rows` (n,) positions in the store,
    `quiet`: no progress bar. Only a batch is in memory.

    Raises:
        InputError: for a layer that is not there, and where an activation is not finite.
    """
    lower = activation_model(model, names, pooled)
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    for batch in progress(batches, "batches through the network", quiet=quiet):
        values = {name: np.asarray(value, np.float32) for name, value in answers(lower, inputs.take(batch)).items()}
        _require_finite(values, batch)
        yield batch, values


def activations(
    subject: Subject, rows: np.ndarray, names: Sequence[str], pooled: bool = True, quiet: bool = True
) -> Activations:
    """Layer name -> activations of the `rows` of a run, (rows, width), or whole maps unless `pooled`.

    The run's stain normalization and preprocessing are applied. Maps are pooled on the device, so that memory grows
    with the width of a layer, not with its map.

    Raises:
        InputError: for a layer that is not there, and where an activation is not finite; with the name of the run.
    """
    model, inputs = subject.trained.model, subject.inputs()
    try:
        parts = [values for _, values in activation_batches(model, inputs, rows, names, pooled, quiet)]
    except InputError as error:
        raise InputError(f"{subject.trained.path}: {error}") from error
    shapes = {name: layer_output(model, name).shape for name in names}
    if not parts:
        return {
            name: np.zeros((0, *(shape[-1:] if pooled else shape[1:])), np.float32) for name, shape in shapes.items()
        }
    return {name: np.concatenate([part[name] for part in parts]) for name in shapes}


def _require_finite(values: Activations, rows: np.ndarray) -> None:
    for name, value in values.items():
        broken = ~np.isfinite(value).reshape(len(value), -1).all(axis=1)
        if broken.any():
            raise InputError(
                f"layer {name} is not finite for row {rows[broken][0]}: the network is damaged or its numbers "
                "overflow; take the other --model, or train again with a lower --learning-rate"
            )
