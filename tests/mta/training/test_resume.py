"""A run that was interrupted ends as an undisturbed one, bit for bit."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.splits import write_split
from data_prep.stain import Reinhard
from mta.backbones import build_trunk
from mta.run_folder import RunFolder
from mta.train import train
from mta.training import loop, supervisor
from tests.builders import TINY, tiny_concepts, tiny_rows, tiny_store
from tests.mta.training.comparing import assert_same_run
from tests.mta.training.killing import Killed, kill_in_batch

SETTINGS = {**TINY, "epochs": (2, 2), "quiet": True}


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


def files_of_a_run(folder):
    """Settings that name a file each, for `SETTINGS`."""
    rows, concepts = tiny_rows(), tiny_concepts(tiny_rows())
    write_split(folder / "split.csv", rows, rows["role"])
    concepts.to_csv(folder / "concepts.csv", index_label="row")
    Reinhard.from_statistics([60, 20, -10], [10, 5, 5]).save(folder / "reference.json")
    image = keras.Input((32, 32, 3))
    build_trunk("SmallCNN", None, image).save_weights(folder / "trunk.weights.h5")
    names = {"split": "split.csv", "concept_file": "concepts.csv", "stain_reference": "reference.json"}
    return {name: str(folder / file) for name, file in {**names, "weights": "trunk.weights.h5"}.items()}


def change(path, setting):
    """Change the file at `path` such that it still fits."""
    if setting == "weights":
        build_trunk("SmallCNN", None, keras.Input((32, 32, 3))).save_weights(path)
    elif setting == "stain_reference":
        Reinhard.from_statistics([61, 20, -10], [10, 5, 5]).save(path)
    else:
        path.write_text(path.read_text() + "\n")


def test_any_file_that_changed_under_an_unfinished_run_is_refused_by_name(tiny_h5, tmp_path):
    files, out = files_of_a_run(tmp_path), tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 1, 0)
        train(tiny_h5, out, **{**SETTINGS, **files})
    assert set(RunFolder(out).record()["inputs"]) == {"store", *files}
    for setting, path in files.items():
        before = Path(path).read_bytes()
        change(Path(path), setting)
        with pytest.raises(InputError, match=f"{setting} {path} changed since the run began; --overwrite"):
            train(tiny_h5, out, **{**SETTINGS, **files})
        Path(path).write_bytes(before)
    train(tiny_h5, out, **{**SETTINGS, **files})
    assert RunFolder(out).standing() == "finished"


@pytest.mark.parametrize("name", ["split.csv", "labels.json", "stain.json"])
def test_fits_that_come_out_differently_are_refused(tiny_h5, tmp_path, name):
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_in_batch(patch, 1, 0)
        train(tiny_h5, out, **SETTINGS)
    (out / name).write_text((out / name).read_text().replace("1", "2"))
    before = (out / "history.csv").read_bytes()
    with pytest.raises(InputError, match=rf"\({name}\) changed since the run began; --overwrite starts it over"):
        train(tiny_h5, out, **SETTINGS)
    assert (out / "history.csv").read_bytes() == before


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
