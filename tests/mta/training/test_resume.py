"""A run that was interrupted ends as an undisturbed one, bit for bit."""

import json
import shutil

import numpy as np
import pytest

from data_prep.errors import InputError
from mta.run_folder import RunFolder
from mta.train import train
from mta.training import loop, supervisor
from mta.training.supervisor import Supervisor
from tests.builders import TINY, tiny_store
from tests.mta.training.comparing import assert_same_run

SETTINGS = {**TINY, "epochs": (2, 2), "quiet": True}


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_in_batch(monkeypatch, epoch, batch):
    def on_train_batch_end(self, number, logs=None):
        if (self.progress.epoch, number) == (epoch, batch):
            raise Killed

    monkeypatch.setattr(Supervisor, "on_train_batch_end", on_train_batch_end)


def kill_between_phases(monkeypatch):
    def copy(folder, source, target):
        raise Killed

    monkeypatch.setattr(loop, "_copy", copy)


def kill_before_state(monkeypatch, epoch):
    save = supervisor.save_state

    def save_state(folder, progress, network):
        if progress.epoch == epoch:
            raise Killed
        save(folder, progress, network)

    monkeypatch.setattr(supervisor, "save_state", save_state)


KILLS = (
    lambda patch: kill_in_batch(patch, 1, 2),
    kill_between_phases,
    lambda patch: kill_before_state(patch, 3),  # best.keras is of phase 2 already
)


def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(tiny_h5, tiny_run, tmp_path):
    out = tmp_path / "run"
    for kill in KILLS:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            kill(patch)
            train(tiny_h5, out, **SETTINGS)
    (out / "state" / ".epoch-00004.1.tmp.npz").write_bytes(b"half")
    train(tiny_h5, out, resume=True, **SETTINGS)
    assert_same_run(out, tiny_run)


def test_a_damaged_state_costs_an_epoch_and_nothing_else(tiny_h5, tiny_run, tmp_path, capsys):
    out = tmp_path / "run"
    shutil.copytree(tiny_run, out)
    record = json.loads((out / "run.json").read_text())
    del record["finished"]
    (out / "run.json").write_text(json.dumps(record))
    newest = out / "state" / "epoch-00004.npz"
    newest.write_bytes(newest.read_bytes()[:1000])
    train(tiny_h5, out, **SETTINGS)
    assert "epoch-00004.npz: damaged" in capsys.readouterr().err
    assert_same_run(out, tiny_run)


def test_the_same_command_on_a_finished_run_says_so_and_changes_nothing(tiny_h5, tiny_run, capsys):
    before = {path: path.stat().st_mtime_ns for path in tiny_run.rglob("*")}
    assert train(tiny_h5, tiny_run, **SETTINGS) == tiny_run
    assert "this run is finished; --overwrite starts it over" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tiny_run.rglob("*")} == before


@pytest.mark.parametrize(
    ("setting", "shown"), [({"seed": 2}, "seed=1001, not 2"), ({"dense": (4,)}, "dense=[16], not [4]")]
)
def test_another_configuration_is_refused_by_name(tiny_h5, tiny_run, setting, shown):
    with pytest.raises(InputError) as caught:
        train(tiny_h5, tiny_run, **{**SETTINGS, **setting})
    assert shown in str(caught.value)
    assert "--overwrite" in str(caught.value)


def test_resume_without_a_run_is_refused(tiny_h5, tmp_path):
    with pytest.raises(InputError, match="no run to resume"):
        train(tiny_h5, tmp_path / "run", resume=True, **SETTINGS)
    assert not (tmp_path / "run").exists()


def test_a_store_that_changed_under_an_unfinished_run_is_refused(tmp_path):
    store, out = tiny_store(tmp_path / "a.h5"), tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 1, 0)
        train(store, out, **SETTINGS)
    tiny_store(store, pixels=np.random.default_rng(9).integers(0, 256, (48, 32, 32, 3), dtype="uint8"))
    with pytest.raises(InputError, match="changed since the run"):
        train(store, out, **SETTINGS)


def test_overwrite_removes_only_what_a_run_wrote_and_only_for_good_input(tiny_h5, tiny_run, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(tiny_run, out)
    (out / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="there is no such file"):
        train(tmp_path / "absent.h5", out, overwrite=True, **SETTINGS)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    train(tiny_h5, out, overwrite=True, **{**SETTINGS, "preset": "baseline", "epochs": (1, 0)})
    assert (out / "notes.txt").read_text() == "mine"
    assert RunFolder(out).standing() == "finished"
    assert not (out / "best_phase1.keras").exists()
    assert [path.name for path in (out / "state").iterdir()] == ["epoch-00001.npz"]
