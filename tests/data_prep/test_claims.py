"""Who may work in a folder: one at a time, and after a killed process the next."""

import fcntl
import json
import os
import platform
import subprocess
import sys

import pytest

from data_prep.claims import LOCK, claimed
from data_prep.errors import InputError

HOLD = """
import sys
from pathlib import Path
from data_prep.claims import claimed
with claimed(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is at work in `tmp_path/run`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        yield process
        process.kill()


def test_the_second_is_told_who_is_first(tmp_path, holder):
    with pytest.raises(InputError) as caught, claimed(tmp_path / "run"):
        pytest.fail("the block must not begin")
    start = f"{tmp_path}/run: another run is at work here (process {holder.pid} on {platform.node()} since 20"
    assert str(caught.value).startswith(start)
    assert str(caught.value).endswith("; wait for it, or choose another name")
    holder.communicate("")
    assert holder.returncode == 0
    assert not (tmp_path / "run").exists()  # it was made for the lock, and nothing came of it


def test_a_killed_owner_is_in_nobodys_way(tmp_path, holder):
    holder.kill()
    holder.wait()
    note = json.loads((tmp_path / "run" / LOCK).read_text())
    assert note["process"] == holder.pid
    with claimed(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / LOCK).read_text())["process"] == os.getpid()
    assert list((tmp_path / "run").iterdir()) == []


def test_what_was_there_or_written_stays(tmp_path):
    (tmp_path / "old").mkdir()
    with claimed(tmp_path / "old"), claimed(tmp_path / "a" / "b"):
        (tmp_path / "a" / "kept").write_text("")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/kept", "old"]


def test_a_lock_that_vanishes_while_it_is_taken_is_taken_again(tmp_path, monkeypatch):
    lock, calls = fcntl.flock, []

    def late(handle, how):
        lock(handle, how)
        calls.append(handle)
        if len(calls) == 1:
            (tmp_path / LOCK).unlink()  # as its last owner does

    monkeypatch.setattr(fcntl, "flock", late)
    with claimed(tmp_path):
        assert len(calls) == 2
        assert (tmp_path / LOCK).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"process": "x"}', "[" * 4000, '{"process": 1}'])
def test_garbage_in_the_file_keeps_nobody_out(tmp_path, content):
    (tmp_path / LOCK).write_text(content)
    with claimed(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["host"] == platform.node()


@pytest.fixture
def lockless(monkeypatch):
    """A disk that knows no locks."""

    def refuse(handle, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.parametrize(
    ("process", "host", "free"),
    [
        (os.getppid(), platform.node(), False),
        (2**22 + 1, platform.node(), True),  # above any process number
        (2**22 + 1, "another-machine", False),
    ],
)
def test_without_locks_the_note_decides(tmp_path, lockless, process, host, free):
    (tmp_path / LOCK).write_text(json.dumps({"process": process, "host": host, "since": "2026-01-01T00:00:00"}))
    if free:
        with claimed(tmp_path):
            pass
        assert not (tmp_path / LOCK).exists()
        return
    message = rf"process {process} on {host} .*; wait for it, or remove .*\.lock if it is"
    with pytest.raises(InputError, match=message), claimed(tmp_path):
        pass
    assert (tmp_path / LOCK).exists()


def test_a_place_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="could not be written: part of this path is a file"),
        claimed(tmp_path / "file"),
    ):
        pass


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def full(handle, data, offset):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(InputError, match="no space is left on the disk"), claimed(tmp_path / "a" / "b"):
        pass
    assert list(tmp_path.iterdir()) == []
