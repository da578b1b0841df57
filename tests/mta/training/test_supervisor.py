"""Early stopping and the best epoch, with measurements made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from data_prep.errors import InputError
from mta.settings import configure
from mta.training.phases import phases_of
from mta.training.state import Progress
from mta.training.supervisor import Supervisor

NAN = float("nan")


class Folder:
    """Keeps which epochs were saved as best, in place of models."""

    writes = True

    def __init__(self, path):
        self.path, self.state, self.saved, self.written = path, path / "state", [], []

    def save_model(self, model, name):
        self.saved.append((name, model["epoch"]))

    def write_history(self, history):
        self.written = [dict(row) for row in history]


class Network:
    """Stands still; `model` tells the epoch."""

    def __init__(self):
        self.model, self.changing = {"epoch": 0}, []
        self.training = SimpleNamespace(optimizer=SimpleNamespace(variables=[]))
        self.endpoint = SimpleNamespace(tasks={"tumor": "binary", "domain": "categorical"})

    def strength(self):
        return 0.5

    def penalty(self):
        return 3.0

    def log_variances(self):
        return {"tumor": 0.1, "domain": -0.2}


def supervised(tmp_path, measured, **settings):
    """Run made-up epochs: `measured` holds (task loss, total loss) for each."""
    config = configure({"epochs": (4, 4), "patience": 2, **settings})
    network, folder, feed = Network(), Folder(tmp_path), iter(measured)

    def measure(network):
        task, total = next(feed)
        network.model["epoch"] += 1
        return {"val_loss": total, "val_loss_tumor": task, "val_auc": NAN}

    phases, progress = phases_of(config), Progress()
    supervisor = Supervisor(folder, network, SimpleNamespace(measure=measure), config, phases, progress)
    supervisor.set_model(SimpleNamespace(stop_training=False))
    for phase in range(len(phases)):
        if phase:
            progress.next_phase(keep_best=config.profile == "original")
        while not supervisor.phase_over():
            supervisor.on_epoch_begin(progress.epoch)
            logs = {"loss": 1.0, "tumor_loss": 0.7, "domain_loss": 0.6, "tumor_accuracy": 0.5}
            supervisor.on_epoch_end(progress.epoch, logs)
            assert supervisor.model.stop_training == supervisor.phase_over()
    assert next(feed, None) is None
    return folder, progress


TASK = [3, 2, 2.5, 2, 9, 8, 8.5, 8.1]  # the first phase stops after 4, the second after 4


def test_each_phase_stops_by_its_own_task_loss(tmp_path):
    folder, progress = supervised(tmp_path, [(value, -i) for i, value in enumerate(TASK)])
    assert [row["phase"] for row in folder.written] == [1] * 4 + [2] * 4
    assert [epoch for _, epoch in folder.saved] == [1, 2, 5, 6]  # the last phase's best stands, worse or not
    assert (progress.best, progress.epoch) == (8, 8)


def test_an_early_stop_ends_the_phase_not_the_run(tmp_path):
    folder, _ = supervised(tmp_path, [(1, 0), (1, 0), (1, 0), (1, 0), (1, 0), (1, 0)])
    assert [row["phase"] for row in folder.written] == [1, 1, 1, 2, 2, 2]  # the first, then two without improvement


def test_original_watches_the_total_and_keeps_the_best_of_both_phases(tmp_path):
    measured = [(i, total) for i, total in enumerate([5, 4, 6, 6, 4.5, 4.2, 4.1, 3.9])]
    folder, progress = supervised(tmp_path, measured, profile="original")
    assert [epoch for _, epoch in folder.saved] == [1, 2, 8]  # B-20: 4.5 to 4.1 do not beat the first phase
    assert progress.best == 3.9


def test_the_row_of_an_epoch(tmp_path):
    folder, _ = supervised(tmp_path, [(0.5, 4.0)], epochs=(1, 0))
    (row,) = folder.written
    assert isinstance(row.pop("seconds"), float)
    assert row == {
        **{"epoch": 1, "phase": 1, "strength": 0.5, "learning_rate": 1e-4, "loss": 1.0, "penalty": 3.0},
        **{"loss_tumor": 0.7, "loss_domain": 0.6, "log_var_tumor": 0.1, "log_var_domain": -0.2},
        **{"tumor_accuracy": 0.5, "val_loss": 4.0, "val_loss_tumor": 0.5, "val_auc": None},
    }


@pytest.mark.parametrize("broken", [(NAN, NAN), (np.inf, np.inf)])
def test_a_loss_that_is_no_number_stops_before_anything_is_written(tmp_path, broken):
    with pytest.raises(InputError, match=r"no longer finite in epoch 1; lower --learning-rate"):
        supervised(tmp_path, [broken])
    assert not (tmp_path / "state").exists()
