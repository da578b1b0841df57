"""Stopped anywhere and run again, an extraction ends as one that was never stopped."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace

import h5py
import pytest

from data_prep.cohorts import read_slides
from data_prep.errors import InputError
from data_prep.extraction import ExtractionSettings, extract, running, task
from data_prep.extraction.job import make_jobs, parts_folder, safe_name
from data_prep.extraction.state import finished, read_state
from data_prep.store import StoreWriter, open_patches
from tests.data_prep.extraction.conftest import SETTINGS

_KILLED = """
import os, signal, sys
from pathlib import Path
from data_prep.cohorts import read_slides
from data_prep.extraction import ExtractionSettings, extract, merge, state, task
from data_prep.store import StoreWriter
table, out, where, turn = sys.argv[1:]
places = {
    "append": (StoreWriter, "append"),
    "finish": (StoreWriter, "_finish"),
    "state": (task, "write_state"),
    "preview": (task, "write_preview"),
}
owner, name = places[where]
work, calls = getattr(owner, name), [0]

def killing(*values, **named):
    calls[0] += 1
    if calls[0] == int(turn):
        os.kill(os.getpid(), signal.SIGKILL)
    return work(*values, **named)

setattr(owner, name, killing)
extract(read_slides(table), ExtractionSettings(mpp=0.5, size=64, count=12), Path(out))
"""


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("clean") / "s.h5"
    extract(read_slides(table), SETTINGS, out)
    return {path.relative_to(out.parent): digest(path) for path in out.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("where", "turn"), [("append", 1), ("append", 4), ("finish", 2), ("preview", 2), ("state", 3), ("finish", 4)]
)
def test_killed_in_the_middle_and_run_again_it_is_the_same_bit_for_bit(table, undisturbed, tmp_path, where, turn):
    """In a block, before a part is whole, between part, preview and state, and in the merge."""
    out = tmp_path / "s.h5"
    done = subprocess.run([sys.executable, "-c", _KILLED, table, out, where, str(turn)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    assert parts_folder(out).exists()
    result = extract(read_slides(table), SETTINGS, out)
    assert not result.failed
    assert undisturbed == {path.relative_to(tmp_path): digest(path) for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_again_and_again_at_random_places_it_is_the_same_bit_for_bit(table, undisturbed, tmp_path, seed):
    out, chance = tmp_path / "s.h5", random.Random(seed)
    kills = 0
    while kills < 3 and not out.exists():
        where, turn = chance.choice(["append", "finish", "state", "preview"]), chance.randint(1, 3)
        done = subprocess.run([sys.executable, "-c", _KILLED, table, out, where, str(turn)], check=False)
        assert done.returncode in (0, -signal.SIGKILL)
        kills += done.returncode != 0
    assert kills
    extract(read_slides(table), SETTINGS, out)
    assert undisturbed == {path.relative_to(tmp_path): digest(path) for path in tmp_path.rglob("*") if path.is_file()}


@pytest.fixture
def counted(monkeypatch):
    """The names of the slides that are really cut."""
    cut, names = task._extract, []
    monkeypatch.setattr(task, "_extract", lambda job: (names.append(job.entry.slide), cut(job))[1])
    return names


def test_a_complete_store_is_left_alone(painted, tmp_path, counted):
    entries, out = [painted("a"), painted("b")], tmp_path / "s.h5"
    extract(entries, SETTINGS, out)
    before = digest(out)
    assert extract(entries, SETTINGS, out).states == ()
    assert counted == ["a", "b"]
    assert digest(out) == before
    assert not parts_folder(out).exists()


def test_other_settings_or_slides_need_overwrite(painted, tmp_path, counted):
    out = tmp_path / "s.h5"
    extract([painted("a")], SETTINGS, out)
    for entries, settings in (([painted("a")], replace(SETTINGS, seed=1)), ([painted("b")], SETTINGS)):
        with pytest.raises(InputError, match=r"s\.h5: exists already, made of other slides or settings"):
            extract(entries, settings, out)
    assert len(open_patches(out)) == 12
    extract([painted("b")], replace(SETTINGS, count=3), out, overwrite=True)
    assert len(open_patches(out)) == 3
    assert counted == ["a", "b"]


def test_more_slides_are_added(painted, tmp_path):
    out, first = tmp_path / "s.h5", painted("a")
    extract([first], SETTINGS, out)
    extract([painted("b"), first], SETTINGS, out)
    assert open_patches(out).rows["slide"].unique().tolist() == ["b", "a"]


def test_what_is_in_the_way_is_kept(painted, tmp_path):
    out = tmp_path / "s.h5"
    out.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        extract([painted()], SETTINGS, out)
    assert out.read_text() == "precious"
    extract([painted()], SETTINGS, out, overwrite=True)
    assert len(open_patches(out)) == 12


def test_a_bad_slide_stops_nobody_and_is_tried_again(painted, tmp_path, counted):
    entries = [painted(name) for name in "abc"]
    good = entries[1].path.read_bytes()
    entries[1].path.write_bytes(good[:1000])
    out = tmp_path / "s.h5"
    result = extract(entries, SETTINGS, out)
    assert [state.status for state in result.states] == ["done", "failed", "done"]
    [failure] = result.failed
    assert failure.error.startswith(f"{entries[1].path}: ")
    assert "\n" not in failure.error
    assert f"* b: {failure.error}" in result.summary.read_text()
    assert open_patches(out).rows["slide"].unique().tolist() == ["a", "c"]
    entries[1].path.write_bytes(good)
    assert not extract(entries, SETTINGS, out).failed
    assert counted == ["a", "b", "c", "b"]
    assert open_patches(out).rows["slide"].unique().tolist() == ["a", "b", "c"]
    assert not parts_folder(out).exists()


def test_a_defect_of_ours_is_a_failure_of_its_slide_too(painted, tmp_path, monkeypatch):
    work = task._extract

    def defect(job):
        return work(job) if job.entry.slide == "a" else [][1]

    monkeypatch.setattr(task, "_extract", defect)
    result = extract([painted("a"), painted("b")], SETTINGS, tmp_path / "s.h5")
    assert result.failed[0].error == f"{tmp_path}/b.png: IndexError: list index out of range"


@pytest.fixture
def interrupted(painted, tmp_path, monkeypatch):
    """Two slides of which one is done when the run stops."""
    entries, out = [painted("a"), painted("b")], tmp_path / "s.h5"
    with monkeypatch.context() as patch:
        patch.setattr(
            running, "extract_slide", lambda job: task.extract_slide(job) if job.entry.slide == "a" else 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            extract(entries, SETTINGS, out)
    return entries, out


def test_done_slides_are_not_cut_again(interrupted, counted):
    entries, out = interrupted
    extract(entries, SETTINGS, out)
    assert counted == ["b"]


def damaged(how):
    def change(job, entry):
        if how == "part":
            job.part.write_bytes(job.part.read_bytes()[:5000])
        elif how == "no part":
            job.part.unlink()
        elif how == "state":
            job.state.write_text(job.state.read_text()[:40])
        elif how == "other state":
            job.state.write_text(json.dumps({"key": job.key, "notes": []}))
        elif how == "count":
            job.state.write_text(job.state.read_text().replace("12", "11"))
        else:
            os.utime(entry.path, ns=(1, 1))

    return change


@pytest.mark.parametrize("how", ["part", "no part", "state", "other state", "count", "slide"])
def test_what_is_damaged_or_changed_is_cut_again(interrupted, counted, how):
    (first, second), out = interrupted
    [job] = make_jobs([first], SETTINGS, out, out.with_suffix(".previews"))
    assert finished(job)
    damaged(how)(job, first)
    extract([first, second], SETTINGS, out)
    assert counted == ["a", "b"]
    assert len(open_patches(out)) == 24


def test_what_a_power_cut_took_of_the_patches_is_found_and_cut_again(interrupted, counted):
    """Parts are not flushed to the disk: of one that was whole, pages may come back as zeros."""
    (first, second), out = interrupted
    [job] = make_jobs([first], SETTINGS, out, out.with_suffix(".previews"))
    with h5py.File(job.part, "r+") as part:
        part["patches"][3:5] = 0
    assert finished(job), "only who reads all of it can see it"
    with pytest.raises(InputError, match=r"s\.h5\.parts.*damaged.*run the same command again, it cuts a anew"):
        extract([first, second], SETTINGS, out)
    assert not out.exists()
    assert not extract([first, second], SETTINGS, out).failed
    assert counted == ["b", "a"]
    assert len(open_patches(out)) == 24


@pytest.mark.parametrize("lost", ["rows/x", "rows/label"])
def test_what_a_power_cut_took_of_the_rows_is_cut_again_at_once(interrupted, counted, lost):
    (first, second), out = interrupted
    [job] = make_jobs([first], SETTINGS, out, out.with_suffix(".previews"))
    with h5py.File(job.part, "r+") as part:
        part[lost][3:5] = 0
    assert not extract([first, second], SETTINGS, out).failed
    assert counted == ["a", "b"]
    assert len(open_patches(out)) == 24


def test_settings_make_the_key(painted, tmp_path):
    entry, out = painted(), tmp_path / "s.h5"

    def key(entry=entry, **settings):
        return make_jobs([entry], ExtractionSettings(**settings), out, tmp_path)[0].key

    changed = [key(), key(mpp=0.5), key(seed=1), key(coverage=0.7), key(tissue="saturation")]
    changed += [key(replace(entry, mpp=0.4)), key(replace(entry, centre="1")), key(replace(entry, label="normal"))]
    assert len(set(changed)) == len(changed)
    assert key() == changed[0]


def test_names_of_slides_stay_in_their_folder():
    assert safe_name("patient_001 node é.1") == "patient_001 node é.1"
    assert safe_name("../../etc/passwd") == "%2E.%2F..%2Fetc%2Fpasswd"
    assert safe_name("a%2Fb") == "a%252Fb"


def test_a_full_disk_is_a_line_and_leaves_no_half_part(painted, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    entries, out = [painted("a"), painted("b")], tmp_path / "s.h5"
    with monkeypatch.context() as patch:
        patch.setattr("os.posix_fallocate", full)
        with pytest.raises(InputError, match="not a single patch from 2 slides") as caught:
            extract(entries, SETTINGS, out)
    assert "no space is left on the disk" in str(caught.value)
    assert not out.exists()
    assert {path.suffix for path in parts_folder(out).iterdir()} == {".json"}
    assert not extract(entries, SETTINGS, out).failed


def test_a_disk_that_is_full_when_parts_are_merged_costs_no_slide(painted, tmp_path, monkeypatch, counted):
    entries, out = [painted("a"), painted("b")], tmp_path / "s.h5"
    finish = StoreWriter._finish

    def full(writer, file):
        if writer._path == out:
            raise InputError(f"{out}: could not be written: no space is left on the disk")
        finish(writer, file)

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "_finish", full)
        with pytest.raises(InputError, match="no space is left"):
            extract(entries, SETTINGS, out)
    assert not out.exists()
    extract(entries, SETTINGS, out)
    assert counted == ["a", "b"]


def test_a_state_that_cannot_be_written_stops_the_run(painted, tmp_path, monkeypatch):
    def full(path, state):
        raise InputError(f"{path}: could not be written: no space is left on the disk")

    monkeypatch.setattr(task, "write_state", full)
    with pytest.raises(InputError, match=r"a\.json: could not be written"):
        extract([painted()], SETTINGS, tmp_path / "s.h5")


def test_a_state_is_none_of_anything_else(tmp_path):
    for text in ("", "[]", "null", '{"notes": 3}', "[" * 100_000, '{"key": "a", "notes": [], "patches": 3}'):
        (tmp_path / "a.json").write_text(text)
        assert read_state(tmp_path / "a.json") is None
    assert read_state(tmp_path / "none.json") is None


def test_two_runs_on_one_store_do_not_meet(painted, tmp_path):
    """Neither takes the other's parts for its own."""
    entries, out = [painted("a"), painted("b")], tmp_path / "s.h5"

    def other_run(items, _):
        with pytest.raises(InputError, match=r"s\.h5\.parts: another run is at work here"):
            extract(entries, replace(SETTINGS, seed=1), out)
        return items

    assert not extract(entries, SETTINGS, out, progress=other_run).failed
    assert len(open_patches(out)) == 24


def test_previews_that_cannot_be_written_are_refused_before_any_work(painted, tmp_path, counted):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: could not be written: part of this path is a file"):
        extract([painted()], SETTINGS, tmp_path / "s.h5", previews=tmp_path / "file")
    assert counted == []
