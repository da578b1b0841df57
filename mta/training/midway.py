"""Long epochs: the state is saved in their middle too, and an epoch is taken up where it was left."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mta.data.failing import Batches
from mta.training.network import Network
from mta.training.state import Progress, save_state


class Rest(Batches):
    """What is left of an epoch.

    Args:
        whole: batches of the epoch; one must depend on its number alone.
        first: how many of them are done.
    """

    def __init__(self, whole: Batches, first: int) -> None:
        super().__init__()
        self._whole, self._first = whole, first

    def __len__(self) -> int:
        return len(self._whole) - self._first

    def batch(self, index: int) -> tuple[Any, ...]:
        """Batch number `index` of those that are left."""
        return self._whole.batch(index + self._first)


class Midway(keras.callbacks.Callback):
    """Saves the state every so many minutes of an epoch.

    Args:
        folder: of the states.
        network: what is trained.
        progress: where the run stands; `batches` is kept up to date with what was saved.
        steps: batches of a whole epoch.
        minutes: between two states; 0 for none within epochs.
        running: values of the metrics' variables where `progress.batches` are done, else none.
    """

    def __init__(
        self, folder: Path, network: Network, progress: Progress, steps: int, minutes: float, running: list[np.ndarray]
    ) -> None:
        super().__init__()
        self._folder, self._network, self._progress = folder, network, progress
        self._steps, self._minutes, self._running = steps, minutes, running

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the running means back, which Keras has just reset, and start the clock."""
        self._first, self._saved = self._progress.batches, time.monotonic()
        if self._first:
            self._go_on()

    def _go_on(self) -> None:
        # Keras makes the metrics' variables with the first batch.
        outputs = {name: np.zeros((1, *output.shape[1:]), "float32") for name, output in self.model.output.items()}
        self.model.compute_metrics(None, outputs, outputs)
        for variable, value in zip(self.model.metrics_variables, self._running, strict=True):
            variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Save when it is time, but for the last batch, which ends the epoch, and means that are not finite."""
        done = self._first + batch + 1
        due = self._minutes and time.monotonic() - self._saved >= 60 * self._minutes
        if due and done < self._steps and np.isfinite((logs or {}).get("loss", np.nan)):
            self._progress.batches = done
            save_state(self._folder, self._progress, self._network)
            self._saved = time.monotonic()
