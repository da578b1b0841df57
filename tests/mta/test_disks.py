"""Commands of `mta` on a disk that is full or read-only: one line, and the run goes on when there is room again."""

import json
import shutil
import sys

import pytest

from mta.evaluate import evaluate
from mta.run_folder import RunFolder
from mta.train import train
from tests.builders import TINY, tiny_flags
from tests.mta.training.comparing import assert_same_run

pytestmark = pytest.mark.slow
FULL = "could not be written: no space is left on the disk; free some or choose another place"
READ_ONLY = "could not be written: this place is "
SETTINGS = {"epochs": (2, 2), "save_minutes": 1e-9}


def training(store, disk):
    return [
        sys.executable,
        "-m",
        "mta.train",
        str(store),
        "--out",
        f"{disk.place}/run",
        "--quiet",
        *tiny_flags(**SETTINGS),
    ]


# Bytes left: for nothing, the first files, some states and models.
@pytest.mark.parametrize("room", [0, 60_000, 700_000, 1_500_000, 2_500_000])
def test_a_run_that_filled_the_disk_ends_as_if_it_had_not(disk, tiny_h5, tiny_run, tmp_path, room):
    outcome = disk.full(training(tiny_h5, disk), room)
    outcome.require_refusal(FULL)
    out = tmp_path / "run"
    if room:
        shutil.copytree(outcome.after / "run", out)
    else:
        assert not list(outcome.after.iterdir())
    train(tiny_h5, out, quiet=True, **{**TINY, **SETTINGS})
    assert_same_run(out, tiny_run)


def test_a_run_folder_that_became_read_only(disk, tiny_h5, tiny_run):
    shutil.copytree(tiny_run, disk.before / "run", ignore=shutil.ignore_patterns("last.keras"))
    record = RunFolder(disk.before / "run").read("run.json")
    (disk.before / "run" / "run.json").write_text(json.dumps({**record, "finished": ""}))
    disk.read_only(training(tiny_h5, disk)).require_refusal(READ_ONLY)


@pytest.fixture
def evaluated(disk, tiny_run):
    """A finished and evaluated run on the disk, and where it lies there."""
    out = disk.before / "run"
    shutil.copytree(tiny_run, out)
    evaluate(out, quiet=True)
    return disk.place / "run"


COMMANDS = {
    "evaluate": ["mta.evaluate", "{run}", "--quiet"],
    "export": ["mta.export", "{run}", "--quiet"],
    "export keras": ["mta.export", "{run}", "--to", "keras", "--quiet"],
    "predict": ["mta.predict", "{run}", "{store}", "--out", "{run}/new.csv", "--quiet"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_using_a_run_where_nothing_can_be_written(disk, evaluated, tiny_h5, name):
    arguments = [part.format(run=evaluated, store=tiny_h5) for part in COMMANDS[name]]
    disk.read_only([sys.executable, "-m", *arguments]).require_refusal(READ_ONLY)


@pytest.mark.parametrize("name", COMMANDS)
def test_using_a_run_on_a_full_disk(disk, evaluated, tiny_h5, name):
    arguments = [part.format(run=evaluated, store=tiny_h5) for part in COMMANDS[name]]
    disk.full([sys.executable, "-m", *arguments], 0 if name == "predict" else 8192).require_refusal(FULL)
