"""What each replica computes in a step."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def training_step(strategy: Any, training: Any) -> Callable[[Any], dict[str, Any]]:
    """A function of one batch, shared out over the replicas as `BatchReader.part` does, that takes an optimizer step.

    It returns the running means of the first replica of this process, as `fit` shows them; those of all replicas are
    `training.get_metrics_result()`.

    Args:
        strategy: of `tf.distribute`.
        training: compiled model whose losses are means over the batch of all replicas (`mta.replicas.global_mean`).
    """

    @tf.function(reduce_retracing=True)
    def step(batch: Any) -> dict[str, Any]:
        logs = strategy.run(_learn, args=(training, strategy.num_replicas_in_sync, *batch))
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], logs)

    return step


def _learn(training: Any, replicas: int, x: Any, y: Any, rows: Any) -> dict[str, Any]:
    """One replica's share of a step; `rows` are those of the whole batch."""
    optimizer, weights = training.optimizer, training.trainable_weights
    with tf.GradientTape() as tape:
        y_pred = training(x, training=True)
        loss = tf.add_n(training.losses)
        # The optimizer adds up the gradients of all replicas, whose average is that of the batch.
        scaled = optimizer.scale_loss(loss / replicas)
    gradients = tape.gradient(scaled, weights)
    if hasattr(optimizer, "dynamic_scale"):
        gradients = _the_same_everywhere(gradients, replicas)
    optimizer.apply_gradients(zip(gradients, weights, strict=True))
    training.metrics[0].update_state(loss, sample_weight=rows / replicas)
    return training.compute_metrics(x, y, y_pred)


def _the_same_everywhere(gradients: list[Any], replicas: int) -> list[Any]:
    """`gradients` averaged over the replicas.

    Loss scaling asks each replica whether its own gradients are finite, and all must take the same way from there.
    """
    return [g / replicas for g in tf.distribute.get_replica_context().all_reduce("SUM", gradients)]


def prediction_step(strategy: Any, model: Any) -> Callable[[Any], dict[str, Any]]:
    """A function of one batch a replica, all of one size, that gives the outputs of all replicas, one after the other.

    Every process gets all of them.
    """

    def predict(x: dict[str, Any]) -> Any:
        # A network that takes an image alone was made from a tensor, and Keras wants the same structure back.
        outputs = model(x if isinstance(model.input, dict) else x["image"], training=False)
        return tf.distribute.get_replica_context().all_gather(outputs, axis=0)

    @tf.function(reduce_retracing=True)
    def step(x: Any) -> dict[str, Any]:
        outputs = strategy.run(predict, args=(x,))
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], outputs)

    return step
