import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_prep.claims import claimed
from data_prep.errors import InputError
from data_prep.splits import write_split
from mta.studies import networks, running
from mta.study import main, study
from tests.builders import tiny_rows, tiny_store
from tests.mta.studies import work
from tests.mta.studies.builders import ROWS, SETTINGS, study_rows, write_plan

TABLES = ("results.csv", "table.csv", "table.tex")


@pytest.fixture
def untrained(monkeypatch):
    """Runs whose predictions are made up, without TensorFlow."""
    monkeypatch.setattr(running, "start_worker", work.start)
    monkeypatch.setattr(running, "run_job", work.write)
    monkeypatch.setattr(networks, "start_worker", work.start)
    monkeypatch.setattr(networks, "build", work.build)


def test_a_study_leaves_tables_page_figure_and_record(tmp_path, untrained, capsys):
    out = study(write_plan(tmp_path), tmp_path / "out", workers=2)
    for name in (*TABLES, "table.html", "study.png", "study.json"):
        assert (out / name).stat().st_size > 100
    record = json.loads((out / "study.json").read_text())
    assert (record["model"], record["seeds"], record["failed"]) == ("last", [1, 2, 3], {})
    assert {run["folder"] for run in record["runs"]} == {f"runs/{row}/{s}" for row in ROWS for s in (1, 2, 3)}
    assert record["packages"]["numpy"]
    assert "minus plain, external test" in capsys.readouterr().out
    assert not (out / ".lock").exists()


def test_failed_runs_are_named_and_the_rest_is_in_the_table(tmp_path, untrained, monkeypatch):
    monkeypatch.setattr(running, "run_job", work.fail_or_die)
    with pytest.raises(InputError, match="2 of 9 runs failed and are not in the table"):
        study(write_plan(tmp_path), tmp_path / "out", workers=2, quiet=True)
    assert len((tmp_path / "out" / "table.csv").read_text().splitlines()) == 4
    assert set(json.loads((tmp_path / "out" / "study.json").read_text())["failed"]) == {"mta/1", "mta/2"}


def test_a_folder_in_use_is_refused(tmp_path, untrained):
    plan = write_plan(tmp_path)
    with claimed(tmp_path / "out"), pytest.raises(InputError, match="another run is at work here"):
        study(plan, tmp_path / "out", quiet=True)


@pytest.mark.parametrize(
    ("store", "changed", "said"),
    [
        ("none", {}, "there is no such"),
        ("tiny", {"rows": {**ROWS, "x": {"concepts": ["nmae"]}}}, "row x: .*has no concept nmae"),
        ("tiny", {"splits": ["none.csv"]}, "no such split file"),
        ("without", {}, "row plain: .*no row has the role external_test"),
        ("alone", {}, "role internal_test has one patient alone"),
        ("normal", {}, "role internal_test has no tumor patch"),
    ],
)
def test_data_that_cannot_be_tested_is_refused_before_anything_runs(tmp_path, store, changed, said):
    path = tmp_path / "tiny.h5"
    if store == "none":
        changed = {"data": str(tmp_path / "none.h5")}
    elif store == "without":
        tiny_store(path)
    elif store == "alone":
        rows = tiny_rows()
        tiny_store(path, rows.assign(role=rows["role"].where(rows["patient"] != "p7", "")))
    elif store == "normal":
        rows = tiny_rows()
        tiny_store(path, rows.assign(label=rows["label"].where(rows["role"] != "internal_test", 0)))
    with pytest.raises(InputError, match=said):
        study(write_plan(tmp_path, **changed), tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_rows_tested_on_other_patches_are_refused_before_anything_runs(tmp_path):
    plan = write_plan(tmp_path, rows={**ROWS, "other": {"store": str(tmp_path / "other.h5")}})
    rows = study_rows()
    tiny_store(tmp_path / "other.h5", rows.assign(patient=rows["patient"].replace("p6", "p6a")))
    with pytest.raises(InputError, match=r"row other: 6 test rows differ \(rows 36, 37, 38, 39, 40, …;"):
        study(plan, tmp_path / "out", quiet=True)


def test_a_patch_that_two_splits_test_is_refused(tmp_path):
    rows = study_rows()
    write_split(tmp_path / "a.csv", rows, rows["role"].to_numpy())
    with pytest.raises(InputError, match="36 of 72 test rows are there more than once"):
        study(write_plan(tmp_path, splits=[str(tmp_path / "a.csv")] * 2), tmp_path / "out", quiet=True)


def test_bad_input_is_one_line_and_status_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([str(write_plan(tmp_path, seeds=[])), "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_weights_that_are_not_there_are_one_line_before_anything_runs(tmp_path, backend):
    pytest.importorskip(backend)
    plan = write_plan(tmp_path, settings={**SETTINGS, "weights": str(tmp_path / "none.weights.h5")})
    done = subprocess.run(
        [sys.executable, "-m", "mta.study", str(plan), "--out", str(tmp_path / "out"), "--quiet"],
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    said = f"row plain: {tmp_path / 'none.weights.h5'}: there is no such weights file"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"python -m mta.study: {said}\n")
    assert not (tmp_path / "out").exists()


def start(plan: Path, out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "mta.study", str(plan), "--out", str(out), "--workers", "2", "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_a_study_that_was_killed_ends_with_the_same_tables(tmp_path):
    rows = {name: ROWS[name] for name in ("plain", "mta")}
    plan = write_plan(tmp_path, rows=rows, control=None, seeds=[1, 2])
    whole, killed = study(plan, tmp_path / "whole", workers=2, quiet=True), tmp_path / "killed"
    process = start(plan, killed)
    first = killed / "runs"
    deadline = time.monotonic() + 300
    while not list(first.glob("*/*/evaluation.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in first.glob("*/*/evaluation.json")}
    assert len(done) < 4
    assert start(plan, killed).wait(timeout=600) == 0
    for name in TABLES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert all(path.stat().st_mtime_ns == then for path, then in done.items())


@pytest.mark.slow
def test_other_settings_in_a_used_folder_are_refused(tmp_path):
    rows = {"plain": ROWS["plain"]}
    study(write_plan(tmp_path, rows=rows, control=None, seeds=[1]), tmp_path / "out", workers=1, quiet=True)
    changed = write_plan(tmp_path, rows={"plain": {**ROWS["plain"], "dropout": 0.1}}, control=None, seeds=[1])
    with pytest.raises(InputError, match=r"holds a run with dropout=0.3, not 0.1"):
        study(changed, tmp_path / "out", workers=1, quiet=True)
