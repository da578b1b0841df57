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
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(config.learning_rate, momentum=config.momentum, nesterov=config.nesterov)
    kinds = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    return kinds[config.optimizer](config.learning_rate)
