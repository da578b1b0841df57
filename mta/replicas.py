"""Sums over the replicas of a `tf.distribute` strategy, and nothing at all elsewhere."""

from typing import Any

import keras
from keras import ops


def _replica_context() -> Any:
    """The context of the running replica when there are several, else None."""
    if keras.backend.backend() != "tensorflow":
        return None  # JAX sees the global arrays: its means are over all devices already
    import tensorflow as tf

    context = tf.distribute.get_replica_context() if tf.distribute.has_strategy() else None
    return context if context is not None and context.num_replicas_in_sync > 1 else None


def global_sum(values: Any) -> Any:
    """`values` (any shape) added up over all replicas; each of them gets the sum."""
    context = _replica_context()
    return values if context is None else context.all_reduce("SUM", values)


def global_mean(terms: Any, mask: Any) -> Any:
    """Mean of `terms` over the samples that `mask` counts, on all replicas together.

    Each replica returns its own sum times the number of replicas over the global count: their average, which
    is what Keras takes of an `add_loss` value, is the mean over the global batch.

    Args:
        terms: (n,) losses, 0 where masked.
        mask: (n,) of 0 and 1.

    Returns:
        Scalar; 0 when nothing is counted.
    """
    total, count = ops.sum(terms), ops.sum(mask)
    context = _replica_context()
    if context is not None:
        count = context.all_reduce("SUM", count)
        total = total * float(context.num_replicas_in_sync)
    return total / ops.maximum(count, 1.0)
