"""Worker processes: what they are given, and how they end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from data_prep.errors import InputError
from data_prep.processes import worker_pool

_told: list[str] = []


def told(word):
    _told.append(word)


def heard(number):
    return _told, number


def fail(_):
    raise InputError("one line")


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_each_process_is_prepared():
    with worker_pool(2, told, "hello") as pool:
        assert list(pool.map(heard, range(3))) == [(["hello"], number) for number in range(3)]
    assert _told == []


def test_bad_input_comes_through_and_a_killed_process_is_one_line():
    with pytest.raises(InputError, match="one line"), worker_pool(1) as pool:
        list(pool.map(fail, range(3)))
    killed = "a worker process was killed, perhaps for want of memory; use fewer --workers"
    with pytest.raises(InputError, match=killed), worker_pool(1) as pool:
        list(pool.map(die, range(3)))


PARENT = """
import os, sys, time
from data_prep.processes import worker_pool

if __name__ == "__main__":
    with worker_pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def test_workers_end_with_a_killed_parent(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(worker)


def runs(process):
    """Whether a process is there and not just a name that nobody has collected."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
