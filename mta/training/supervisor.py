"""What happens after each epoch: measure, remember, keep the best, stop in time, save."""

import math
import time
from typing import Any

import keras

from data_prep.errors import InputError
from mta.config import TrainConfig
from mta.run_folder import RunFolder
from mta.training.network import Network
from mta.training.phases import Phase
from mta.training.state import Progress, forget_midway, save_state
from mta.training.validation import Validation


class Supervisor(keras.callbacks.Callback):
    """Keeps the run folder in step with training.

    The order matters for crashes: models first, then the state that vouches for them, so that an epoch cut short
    anywhere is simply trained again.

    Args:
        folder: of the run.
        network: what is trained.
        validation: measured after each epoch.
        config: of the run.
        phases: of the run.
        progress: where the run stands; updated in place.
    """

    def __init__(
        self,
        folder: RunFolder,
        network: Network,
        validation: Validation,
        config: TrainConfig,
        phases: list[Phase],
        progress: Progress,
    ) -> None:
        super().__init__()
        self._folder, self._network, self._validation = folder, network, validation
        self._config, self._phases, self.progress = config, phases, progress
        self._started = 0.0

    def phase_over(self) -> bool:
        """Whether the current phase has run all its epochs or out of patience."""
        phase = self._phases[self.progress.phase]
        return self.progress.phase_epochs >= phase.epochs or self.progress.wait >= self._config.patience

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure, keep and save; `logs` gains the validation values, for other callbacks."""
        measured = self._validation.measure(self._network)
        row = self._row(logs or {}, measured)
        self._require_finite(row)
        (logs if logs is not None else {}).update({k: v for k, v in measured.items() if math.isfinite(v)})
        self.progress.history.append({name: _plain(value) for name, value in row.items()})
        self.progress.phase_epochs, self.progress.batches = self.progress.phase_epochs + 1, 0
        self._judge(measured["val_loss_tumor" if self._config.monitor == "task" else "val_loss"])
        self._folder.write_history(self.progress.history)
        if self._folder.writes:
            save_state(self._folder.state, self.progress, self._network)
        self.model.stop_training = self.phase_over()

    def _row(self, logs: dict[str, Any], measured: dict[str, float]) -> dict[str, Any]:
        network = self._network
        row = {"epoch": self.progress.epoch + 1, "phase": self.progress.phase + 1, "strength": network.strength()}
        row |= {"learning_rate": self._config.learning_rate, "loss": logs["loss"], "penalty": network.penalty()}
        row |= {f"loss_{name}": logs[f"{name}_loss"] for name in network.endpoint.tasks}
        row |= {f"log_var_{name}": value for name, value in network.log_variances().items()}
        row |= {name: logs[name] for name in ("tumor_accuracy", "domain_accuracy") if name in logs}
        return {**row, **measured, "seconds": round(time.monotonic() - self._started, 2)}

    def _require_finite(self, row: dict[str, Any]) -> None:
        if not math.isfinite(row["loss"]) or not math.isfinite(row["val_loss"]):
            forget_midway(self._folder.state)  # it leads here again
            raise InputError(
                f"{self._folder.path}: the loss is no longer finite in epoch {row['epoch']}; lower --learning-rate "
                "(the run is as it was before this epoch)"
            )

    def _judge(self, value: float) -> None:
        progress = self.progress
        progress.wait = 0 if value < progress.phase_best else progress.wait + 1
        progress.phase_best = min(value, progress.phase_best)
        if value < progress.best:
            progress.best = value
            self._folder.save_model(self._network.model, "best")


def _plain(value: Any) -> Any:
    """A JSON number; NaN becomes None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
