"""How hard each task pulls at the features that all heads share."""

from typing import Any

import numpy as np

from mta.data.inputs import Inputs
from mta.explain.layers import layer_output
from mta.explain.sensitivity import require_tensorflow
from mta.layers import UncertaintyLoss
from mta.model import tasks_of
from mta.predicting import BATCH

REVERSAL = "gradient_reversal"


def task_gradients(
    model: Any, inputs: Inputs, rows: np.ndarray, targets: dict[str, np.ndarray], layer: str, endpoint: UncertaintyLoss
) -> dict[str, np.ndarray]:
    """Task -> gradient (rows, width) of the loss of each row with respect to the features of `layer`.

    That of `domain` is the adversary's own, before it is reversed and scaled. Tasks whose head does not stand on the
    layer are left out; a row without a target has a gradient of 0.

    Args:
        model: inference network.
        inputs: of it.
        rows: (n,) positions in the store.
        targets: task -> true values of all rows of the store (`Coding.targets`).
        layer: name.
        endpoint: the task losses.

    Raises:
        InputError: on another backend than TensorFlow, and for a layer that is not there.
    """
    import keras

    require_tensorflow()
    names = list(tasks_of(model))
    reversed_ = [layer_output(model, REVERSAL)] if "domain" in names else []
    network = keras.Model(
        model.input, [layer_output(model, layer), *reversed_, *(model.output[name] for name in names)]
    )
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        fed = next(iter(inputs.take(batch).values())).astype(np.float32)
        true = {name: targets[name][batch] for name in names}
        for name, gradient in _of_batch(network, names, fed, true, endpoint).items():
            parts.setdefault(name, []).append(gradient)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _of_batch(
    network: Any, names: list[str], fed: np.ndarray, true: dict[str, np.ndarray], endpoint: UncertaintyLoss
) -> dict[str, np.ndarray]:
    import tensorflow as tf

    fed = tf.convert_to_tensor(fed)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fed)
        features, *others = network(fed, training=False)
        outputs = dict(zip(names, others[-len(names) :], strict=True))
        losses = {name: endpoint.task_loss(name, true[name], outputs[name]) for name in names}
    found = {}
    for name in names:
        gradient = tape.gradient(losses[name], others[0] if name == "domain" else features)
        if gradient is not None:
            # The loss is a mean over the rows that have a target: back to a row's own.
            found[name] = np.asarray(gradient, np.float32) * _counted(name, true[name])
    return found


def _counted(task: str, true: np.ndarray) -> int:
    """How many rows of `true` (n, width) are not masked by the loss of a task."""
    if task == "tumor":
        return int((true >= 0).sum())
    return int((true.sum(axis=1) > 0).sum()) if task == "domain" else int(np.isfinite(true).sum())
