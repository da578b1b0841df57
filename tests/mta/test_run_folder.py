"""What a run folder takes for its own."""

import json

import pytest

from data_prep.claims import claimed
from data_prep.errors import InputError
from mta.run_folder import RunFolder
from mta.settings import configure


def begun(path, **record):
    folder = RunFolder(path)
    folder.write_config(configure({"store": "a.h5", "out": str(path)}))
    (path / "run.json").write_text(json.dumps(record))
    return folder


def test_standing(tmp_path):
    assert RunFolder(tmp_path / "absent").standing() == "new"
    assert RunFolder(tmp_path).standing() == "new"
    assert begun(tmp_path / "run").standing() == "unfinished"
    assert begun(tmp_path / "run", finished="now").standing() == "finished"


@pytest.mark.parametrize("name", ["split.csv", "labels.json", "stain.json", "run.json", ".config.17.tmp.json", ".lock"])
def test_a_run_killed_before_its_config_is_new(tmp_path, name):
    (tmp_path / name).write_text("{}")
    assert RunFolder(tmp_path).standing() == "new"


@pytest.mark.parametrize("name", ["thesis.tex", "state", "best.keras", "predictions.csv", ".git"])
def test_foreign_folders_are_refused(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(InputError, match="is there and is no run folder"):
        RunFolder(tmp_path).standing()
    with pytest.raises(InputError, match="is there and is no run folder"):
        RunFolder(tmp_path / name).standing()


def test_out_is_no_part_of_what_must_be_the_same(tmp_path):
    folder = begun(tmp_path / "run")
    folder.require_same(configure({"store": "a.h5", "out": "moved"}))
    with pytest.raises(InputError, match=r"holds a run with store='a\.h5', not 'b\.h5'"):
        folder.require_same(configure({"store": "b.h5", "out": "moved"}))


def test_clear_leaves_what_is_not_a_runs(tmp_path):
    folder = begun(tmp_path / "run")
    for name in ("history.csv", "best.keras", "tensorboard/train/events", "state/epoch-00001.npz", ".last.1.tmp.keras",
                 "notes.txt", "fold-0/config.json", "fold-0/notes.txt", "evaluation-b/metrics.json",
                 "evaluation-c/evaluation.json", "evaluation-c/notes.txt"):  # fmt: skip
        folder.file(name).parent.mkdir(parents=True, exist_ok=True)
        folder.file(name).write_text("")
    folder.clear()
    left = {str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()}
    assert left == {"notes.txt", "fold-0/notes.txt", "evaluation-c/notes.txt"}
    assert not folder.file("evaluation-b").exists()


def test_clear_removes_nothing_while_a_part_is_in_use(tmp_path):
    folder = begun(tmp_path / "run")
    folder.file("fold-1").mkdir()
    folder.file("best.keras").write_text("")
    with claimed(folder.file("fold-1")), pytest.raises(InputError, match="fold-1: another run is at work here"):
        folder.clear()
    assert folder.file("best.keras").exists()
    folder.clear()
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00"])
def test_damaged_json_is_named(tmp_path, content):
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(InputError, match=r"labels\.json: damaged"):
        RunFolder(tmp_path).read("labels.json")


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(InputError, match=r"config\.json: not found; is .* the folder of a training run"):
        RunFolder(tmp_path).config()
    with pytest.raises(InputError, match=r"best\.keras: not found"):
        RunFolder(tmp_path).load_model()


@pytest.mark.parametrize("length", [0, 10, 5000, -1])
def test_damaged_models_are_named(tiny_run, tmp_path, length):
    (tmp_path / "best.keras").write_bytes((tiny_run / "best.keras").read_bytes()[:length])
    with pytest.raises(InputError, match=r"best\.keras: damaged or no model of ours"):
        RunFolder(tmp_path).load_model()


def test_history_has_a_row_an_epoch(tmp_path):
    RunFolder(tmp_path).write_history([{"epoch": 1, "val_auc": None}, {"epoch": 2, "val_auc": 0.5}])
    assert (tmp_path / "history.csv").read_text() == "epoch,val_auc\n1,\n2,0.5\n"
