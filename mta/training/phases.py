"""How the strength of the reversal runs through training."""

import math
from dataclasses import dataclass
from typing import Any

import keras

from mta.config import TrainConfig


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs.

    Attributes:
        epochs: at most so many; early stopping may end it before.
        strength: of the gradient reversal; in a ramp, at its end.
        ramped: the strength grows from 0.
        afresh: start with new log-variances and optimizer state, and a frozen trunk (what the original's second
            network amounts to, B-02).
    """

    epochs: int
    strength: float
    ramped: bool = False
    afresh: bool = False


def phases_of(config: TrainConfig) -> list[Phase]:
    """The phases of a run; runs without an adversary have one, of all epochs.

    The original's random concept alone has a second phase without an adversary (B-43).
    """
    original, adversary = config.profile == "original", config.adversary != "none"
    if not adversary and not (original and config.preset == "random-concept"):
        return [Phase(sum(config.epochs), 0.0)]
    if adversary and config.schedule == "dann":
        return [Phase(sum(config.epochs), config.strength, ramped=True)]
    both = [
        Phase(config.epochs[0], 0.0),
        Phase(config.epochs[1], config.strength if adversary else 0.0, afresh=original),
    ]
    return [phase for phase in both if phase.epochs]


def ramp(progress: float) -> float:
    """Strength at `progress` from 0 to 1 of training: 2 / (1 + exp(-10 p)) - 1 (Ganin et al. 2016, section 5.2)."""
    return 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0


class StrengthRamp(keras.callbacks.Callback):
    """Sets the reversal's strength from the optimizer's iteration, which a resumed run restores.

    Args:
        layer: the `GradientReversal` layer.
        steps: optimizer steps of the whole run.
        final: strength at the end.

    On TensorFlow the strength follows every step; on JAX, where `fit` holds the weights during an epoch, every
    epoch.
    """

    def __init__(self, layer: Any, steps: int, final: float) -> None:
        super().__init__()
        self._layer, self._steps, self._final = layer, steps, final

    def _update(self) -> None:
        done = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        self._layer.strength.assign(self._final * ramp(min(1.0, done / self._steps)))

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the strength of the coming epoch's first step."""
        self._update()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the strength of the coming step."""
        self._update()
