"""Optimizers by name."""

from typing import Any

import keras

from mta.config import TrainConfig


def make_optimizer(config: TrainConfig) -> Any:
    """A new optimizer with constant learning rate; SGD takes the momentum settings.

    For float16 it scales the loss, whose gradients would otherwise vanish, and leaves out steps that overflow.
    """
    plain = _plain(config)
    return keras.optimizers.LossScaleOptimizer(plain) if config.precision == "mixed_float16" else plain


def _plain(config: TrainConfig) -> Any:
    kinds = _kinds()
    if config.optimizer == "sgd":
        return kinds.SGD(config.learning_rate, momentum=config.momentum, nesterov=config.nesterov)
    return {"adam": kinds.Adam, "adamw": kinds.AdamW}[config.optimizer](config.learning_rate)


def _kinds() -> Any:
    if keras.backend.backend() != "tensorflow":
        return keras.optimizers
    from mta.training import fused

    return fused
