"""The end of a process at a chosen point of training."""

import pytest

from mta.training.supervisor import Supervisor


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_in_batch(monkeypatch: pytest.MonkeyPatch, epoch: int, batch: int) -> None:
    """Let training end in `batch` (from 0) of the epoch after `epoch` finished ones."""

    def on_train_batch_end(self, number, logs=None):
        if (self.progress.epoch, number) == (epoch, batch):
            raise Killed

    monkeypatch.setattr(Supervisor, "on_train_batch_end", on_train_batch_end)
