"""Whole processes killed without warning, and what the next one makes of what they left."""

import os
import random
import resource
import subprocess
import sys
import time

import pytest

from data_prep.claims import LOCK
from mta.run_folder import RunFolder
from tests.builders import tiny_flags
from tests.mta.training.comparing import assert_same_run

pytestmark = pytest.mark.slow
SETTINGS = {"epochs": (3, 3), "batch_size": 4}
VARIANTS = {
    "two phases": {},
    "dann": {"schedule": "dann"},
    "original": {"profile": "original", "class_weights": "training"},
    "control with views, adam": {"preset": "random-concept", "augment": ("flips",), "optimizer": "adam"},
    "saving every batch": {"save_minutes": 1e-9, "deterministic": True},
    "balanced": {"balance": "class-centre"},
    "every augmentation": {"augment": ("flips", "stain", "hed", "color")},
}


def command(store, out, **settings):
    return [sys.executable, "-m", "mta.train", str(store), "--out", str(out), "--quiet", *tiny_flags(**settings)]


def run(store, out, **settings):
    return subprocess.run(command(store, out, **settings), capture_output=True, text=True, check=False)


def kill_after(epoch, store, out, **settings):
    """Start the run, wait for the state of `epoch`, then kill it in the middle of what comes."""
    with subprocess.Popen(command(store, out, **settings), stderr=subprocess.DEVNULL) as process:
        state = out / "state" / f"epoch-{epoch:05d}.npz"
        while not state.exists():
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.2))
        process.kill()
    assert process.returncode == -9


@pytest.mark.parametrize("name", VARIANTS)
def test_killed_in_both_phases_and_between(tiny_h5, tmp_path, name):
    settings = {**SETTINGS, **VARIANTS[name]}
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert run(tiny_h5, undisturbed, **settings).returncode == 0
    for epoch in (1, 3, 4):  # in the first phase, at its end, in the second
        kill_after(epoch, tiny_h5, killed, **settings)
        assert RunFolder(killed).standing() == "unfinished"
    ended = run(tiny_h5, killed, **settings)
    assert ended.returncode == 0, ended.stderr
    assert_same_run(killed, undisturbed)


# Kills the process when it is about to give the file number TURN its name; half of it may be all there is.
WRITING = """
import os, signal, sys
from data_prep import files
turn, calls, flush = int(sys.argv.pop(1)), [0], files._flush

def killing(path):
    calls[0] += 1
    if calls[0] == turn:
        if turn % 2:
            os.truncate(path, path.stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    flush(path)

files._flush = killing
from mta.train import main
main()
"""


def test_killed_while_it_writes(tiny_h5, tmp_path):
    """The run's first files, states within and after epochs, models, history and the end."""
    settings = {**SETTINGS, "epochs": (1, 1), "save_minutes": 1e-9, "deterministic": True}
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert run(tiny_h5, undisturbed, **settings).returncode == 0
    arguments = command(tiny_h5, killed, **settings)[3:]
    for turn in (2, 9, 3, 4, 5, 6, 7):
        done = subprocess.run([sys.executable, "-c", WRITING, str(turn), *arguments], check=False, capture_output=True)
        assert done.returncode == -9, f"turn {turn}: {done.stderr.decode()}"
    ended = run(tiny_h5, killed, **settings)
    assert ended.returncode == 0, ended.stderr
    assert_same_run(killed, undisturbed)


def test_killed_before_the_first_epoch_ends(tiny_h5, tmp_path):
    out = tmp_path / "run"
    with subprocess.Popen(command(tiny_h5, out, **SETTINGS), stderr=subprocess.DEVNULL) as process:
        while not (out.exists() and {path.name for path in out.iterdir()} - {LOCK}):
            assert process.poll() is None
            time.sleep(0.0005)
        process.kill()
    assert not (out / "state").exists()
    ended = run(tiny_h5, out, **SETTINGS)
    assert ended.returncode == 0, ended.stderr
    assert not list(out.rglob(".*"))


def test_a_file_size_limit_is_one_line_and_the_run_goes_on_without_it(tiny_h5, tmp_path):
    out, limit = tmp_path / "run", 500_000  # the models fit, the state does not
    limited = subprocess.run(
        command(tiny_h5, out, **SETTINGS),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert limited.returncode == 2
    assert limited.stderr.splitlines()[-1].endswith("raise the limit or write a smaller one")
    assert "Traceback" not in limited.stderr
    assert (out / "best.keras").exists()
    assert not list((out / "state").iterdir())
    assert run(tiny_h5, out, **SETTINGS).returncode == 0
    assert RunFolder(out).standing() == "finished"
