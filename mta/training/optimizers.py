"""Optimizers by name."""

from typing import Any

import keras

from mta.config import TrainConfig


def make_optimizer(config: TrainConfig) -> Any:
    """A new optimizer with constant learning rate; SGD takes the momentum settings."""
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(config.learning_rate, momentum=config.momentum, nesterov=config.nesterov)
    kinds = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    return kinds[config.optimizer](config.learning_rate)
