"""An epoch that was left in its middle is taken up there, and ends as if it had not been."""

from types import SimpleNamespace

import pytest

from data_prep.errors import InputError
from mta.run_folder import RunFolder
from mta.train import train
from mta.training import midway
from mta.training.midway import Rest
from tests.builders import TINY
from tests.mta.training.comparing import assert_same_run
from tests.mta.training.killing import Killed, kill_in_batch

# 24 training patches: five batches an epoch, the last of four.
SETTINGS = {**TINY, "epochs": (1, 1), "batch_size": 5, "augment": ("flips",), "optimizer": "adam", "quiet": True}
EVERY_BATCH = 1e-9


@pytest.fixture(scope="module")
def undisturbed(tiny_h5, tmp_path_factory):
    return train(tiny_h5, tmp_path_factory.mktemp("whole") / "run", **SETTINGS, save_minutes=0)


def killed_at(store, out, epoch, batch, **settings):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, epoch, batch)
        train(store, out, **{**SETTINGS, "save_minutes": EVERY_BATCH, **settings})


def states(out):
    return sorted(path.name for path in (out / "state").iterdir())


def test_killed_in_both_epochs_and_again_in_what_is_left(tiny_h5, undisturbed, tmp_path):
    out = tmp_path / "run"
    killed_at(tiny_h5, out, 0, 1)
    assert states(out) == ["epoch-00000-batch-00000002.npz"]
    killed_at(tiny_h5, out, 0, 1)  # of what is left: the fourth, and the fifth batch is the last
    assert states(out) == ["epoch-00000-batch-00000004.npz"]
    killed_at(tiny_h5, out, 1, 2)
    assert states(out) == ["epoch-00001-batch-00000003.npz", "epoch-00001.npz"]
    train(tiny_h5, out, **SETTINGS)  # how often it saves is nothing that the run must keep to
    assert_same_run(out, undisturbed)
    assert states(out) == ["epoch-00001.npz", "epoch-00002.npz"]


def test_a_damaged_state_within_an_epoch_costs_no_more_than_the_epoch(tiny_h5, undisturbed, tmp_path, capsys):
    out = tmp_path / "run"
    killed_at(tiny_h5, out, 1, 2)
    newest = out / "state" / "epoch-00001-batch-00000003.npz"
    newest.write_bytes(newest.read_bytes()[:5000])
    train(tiny_h5, out, **SETTINGS)
    assert "batch-00000003.npz: damaged" in capsys.readouterr().err
    assert_same_run(out, undisturbed)


def test_it_saves_by_the_clock(tiny_h5, tmp_path, monkeypatch):
    times, saved = iter(range(0, 10_000, 40)), []
    monkeypatch.setattr(midway, "time", SimpleNamespace(monotonic=lambda: next(times)))
    monkeypatch.setattr(midway, "save_state", lambda folder, progress, network: saved.append(progress.batches))
    train(tiny_h5, tmp_path / "a", **{**SETTINGS, "epochs": (1, 0)}, save_minutes=1)
    assert saved == [2, 4]  # each look at the clock takes 40 s
    train(tiny_h5, tmp_path / "b", **{**SETTINGS, "epochs": (1, 0)}, save_minutes=0)
    assert saved == [2, 4]


def test_a_run_that_blows_up_stays_as_it_was_before_the_epoch(tiny_h5, tmp_path):
    out = tmp_path / "run"
    settings = {**SETTINGS, "epochs": (2, 0), "optimizer": "sgd", "learning_rate": 1e30}
    with pytest.raises(InputError, match="no longer finite"):
        train(tiny_h5, out, **settings, save_minutes=EVERY_BATCH)
    assert not list((out / "state").glob("*batch*"))
    assert RunFolder(out).standing() == "unfinished"


def test_the_rest_of_an_epoch_has_the_batches_that_are_left():
    whole = type("Whole", (), {"__len__": lambda self: 5, "batch": lambda self, number: (number,)})()
    rest = Rest(whole, 3)
    assert [rest[number] for number in range(len(rest))] == [(3,), (4,)]
