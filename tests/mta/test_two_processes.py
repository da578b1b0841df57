"""Two processes and one run folder: the second is refused, and readers see a whole run or none."""

import json
import shutil
import signal
import subprocess
import time

import pytest

from data_prep.claims import LOCK, claimed
from data_prep.errors import InputError
from mta.evaluate import evaluate
from mta.predict import predict
from mta.run_folder import RunFolder
from mta.train import main, train
from mta.trained import load_run
from tests.builders import TINY, tiny_flags
from tests.mta.training.comparing import assert_same_run
from tests.mta.training.test_killed import command

SETTINGS = {**TINY, "epochs": (2, 2), "quiet": True}
BUSY = "another run is at work here"


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("folds", [(), ("--folds", "2")])
def test_training_in_a_folder_in_use_is_one_line(tiny_h5, tmp_path, capsys, folds):
    out = tmp_path / "run"
    with claimed(out):
        before = contents(out)
        with pytest.raises(SystemExit) as end:
            main([str(tiny_h5), "--out", str(out), *tiny_flags(), *folds])
        assert contents(out) == before
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{out}: {BUSY} (process " in line
    assert not out.exists()


def test_overwriting_a_run_in_use_leaves_it_whole(tiny_h5, tiny_run, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(tiny_run, out)
    with claimed(out):
        before = contents(out)
        with pytest.raises(InputError, match=BUSY):
            train(tiny_h5, out, overwrite=True, **SETTINGS)
        assert contents(out) == before


def test_bad_input_leaves_no_lock_and_no_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        train(tmp_path / "absent.h5", tmp_path / "runs" / "a", **SETTINGS)
    assert not (tmp_path / "runs").exists()


def test_evaluations_do_not_meet_and_predictions_do_not_mind(tiny_h5, tiny_run, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(tiny_run, out)
    with claimed(out):
        with pytest.raises(InputError, match=BUSY):
            evaluate(out, quiet=True)
        assert not (out / "metrics.json").exists()
        evaluate(out, out=tmp_path / "elsewhere", quiet=True)
        predict(out, tiny_h5, tmp_path / "p.csv", quiet=True)
    assert (tmp_path / "elsewhere" / "metrics.json").exists()
    evaluate(out, quiet=True)
    assert not (out / LOCK).exists()


def test_a_run_that_changes_while_it_is_read_is_not_used(tiny_run, tmp_path, monkeypatch):
    out = tmp_path / "run"
    shutil.copytree(tiny_run, out)
    load = RunFolder.load_model

    def slowly(folder, name):
        record = folder.record()
        (out / "run.json").write_text(json.dumps({**record, "finished": "later"}))
        return load(folder, name)

    monkeypatch.setattr(RunFolder, "load_model", slowly)
    with pytest.raises(InputError, match="was trained anew while it was read"):
        load_run(out)


@pytest.mark.slow
def test_a_second_process_is_refused_until_the_first_is_killed(tiny_h5, tiny_run, tmp_path):
    out, settings = tmp_path / "run", {"epochs": (2, 2)}
    with subprocess.Popen(command(tiny_h5, out, **settings), stderr=subprocess.DEVNULL) as first:
        while not (out / "history.csv").exists():
            assert first.poll() is None
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        second = subprocess.run(command(tiny_h5, out, **settings), capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert f"(process {first.pid} on " in second.stderr.splitlines()[-1]
        assert "Traceback" not in second.stderr
        first.kill()
    assert (out / LOCK).exists()
    third = subprocess.run(command(tiny_h5, out, **settings), capture_output=True, text=True, check=False)
    assert third.returncode == 0, third.stderr
    assert_same_run(out, tiny_run)
