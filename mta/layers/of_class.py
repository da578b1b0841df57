"""From predictions for each class, those for the class that a patch has."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="mta")
class OfClass(keras.layers.Layer):
    """The line of (n, 2, m) that the label names: the first for normal, the second for tumor.

    Where the label is -1 (unknown) it is the mean of both, with no gradient: such a patch teaches neither head.

    Call: `layer(each, labels)` with labels (n,) or (n, 1). Returns (n, m).
    """

    def call(self, each: Any, labels: Any) -> Any:
        """The lines of `each` for `labels`."""
        labels = ops.reshape(ops.cast(labels, each.dtype), (-1, 1))
        unknown = ops.logical_not(ops.logical_or(ops.equal(labels, 0.0), ops.equal(labels, 1.0)))
        normal, tumor = each[:, 0], each[:, 1]
        known = ops.where(labels > 0.5, tumor, normal)
        return ops.where(unknown, ops.stop_gradient((normal + tumor) / 2), known)

    def compute_output_shape(self, each_shape: tuple[int | None, ...], labels_shape: tuple) -> tuple[int | None, ...]:
        """(n, m)."""
        return (each_shape[0], each_shape[2])
