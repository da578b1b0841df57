"""Workers in processes of their own: the same store, and a dead worker costs one slide."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.cohorts import read_slides
from data_prep.errors import InputError
from data_prep.extraction import extract, running, task
from data_prep.extraction.job import make_jobs
from tests.data_prep.extraction.conftest import SETTINGS

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def scheduler(tmp_path):
    """The address of a Dask scheduler with two workers, each a process of its own, as on a cluster."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": "%(message)s"}
    file = tmp_path / "scheduler.json"

    def start(*arguments):
        command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    started = [start("dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))]
    options = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path)]
    started += [start("dask_worker", "--scheduler-file", str(file), *options) for _ in range(2)]
    try:
        yield _address(file)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _address(file):
    for _ in range(300):
        if file.exists() and (text := file.read_text()):
            return json.loads(text)["address"]
        time.sleep(0.1)
    raise TimeoutError("the scheduler did not start")


def folder_of(out):
    return {path.relative_to(out.parent): path.read_bytes() for path in out.parent.rglob("*") if path.is_file()}


def test_two_worker_processes_give_the_same_store_as_none(table, tmp_path, scheduler):
    for name, options in (("one", {}), ("two", {"scheduler": scheduler})):
        (tmp_path / name).mkdir()
        assert not extract(read_slides(table), SETTINGS, tmp_path / name / "s.h5", **options).failed
    assert folder_of(tmp_path / "one" / "s.h5") == folder_of(tmp_path / "two" / "s.h5")


def test_it_is_the_workers_that_cut(table, scheduler, tmp_path):
    from distributed import Client

    jobs = make_jobs(read_slides(table), SETTINGS, tmp_path / "s.h5", tmp_path / "p")
    with Client(scheduler) as client:
        client.wait_for_workers(2, timeout=20)
        assert len(client.run(os.getpid)) == 2
        assert os.getpid() not in client.run(os.getpid).values()
    states = {state.slide: state for state in running.run_jobs(jobs, scheduler)}
    assert {state.status for state in states.values()} == {"done"}
    assert states == {state.slide: state for state in running.run_jobs(jobs)}


def test_a_local_cluster_gives_the_same_store_too(table, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        assert not extract(read_slides(table), SETTINGS, tmp_path / name / "s.h5", workers=workers).failed
    assert folder_of(tmp_path / "one" / "s.h5") == folder_of(tmp_path / "two" / "s.h5")


@pytest.fixture
def _ctrl_c_heard():
    """Tests that a shell runs in the background ignore Ctrl-C, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals are not POSIX's")
@pytest.mark.usefixtures("_ctrl_c_heard")
@pytest.mark.parametrize("moment", ["s.h5.parts", "s.h5.parts/*.json"])
def test_ctrl_c_is_one_line_whatever_the_workers_do(table, tmp_path, moment):
    """At their start, and at their work; a terminal sends it to all of them."""
    flags = ["--cohort", str(table), "--mpp", "0.5", "--size", "64", "--n", "200", "--workers", "2", "--quiet"]
    command = [sys.executable, "-m", "data_prep", "extract", *flags, "--out", str(tmp_path / "s.h5")]
    options = {"cwd": REPOSITORY, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:
        while not any(tmp_path.glob(moment)):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert len(error.splitlines()) == 1
    assert "interrupted" in error


def test_no_scheduler_is_one_line(painted, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_PATIENCE", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        with pytest.raises(InputError, match=f"--scheduler {address}: no Dask scheduler answers there") as caught:
            extract([painted()], SETTINGS, tmp_path / "s.h5", scheduler=address)
        assert "\n" not in str(caught.value)


def test_what_answers_as_no_scheduler_does_is_one_line(painted, tmp_path, monkeypatch):
    """A web server takes Dask's greeting for a request, and Dask takes its page for a message of 3 EiB."""

    class Confused:
        def __init__(self, *_, **__):
            raise MemoryError("Unable to allocate 3.07 EiB")

    monkeypatch.setattr("distributed.Client", Confused)
    with pytest.raises(InputError, match=r"no Dask scheduler answers there \(Unable to allocate"):
        extract([painted()], SETTINGS, tmp_path / "s.h5", scheduler="tcp://127.0.0.1:80")


def test_a_port_that_says_nothing_is_given_up(painted, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_PATIENCE", -4.9)
    monkeypatch.setattr("distributed.Client", lambda *_, **__: time.sleep(1))
    with pytest.raises(InputError, match=r"no Dask scheduler answers there \(silence"):
        extract([painted()], SETTINGS, tmp_path / "s.h5", scheduler="tcp://127.0.0.1:80")


class Died:
    """The future of a task whose worker is gone."""

    def exception(self):
        from distributed.scheduler import KilledWorker

        return KilledWorker("task", None, 3)


def test_a_dead_worker_takes_only_its_slide_along(painted, tmp_path):
    [job] = make_jobs([painted()], SETTINGS, tmp_path / "s.h5", tmp_path / "p")
    state = running._result(Died(), job)
    assert (state.status, state.slide, state.key) == ("failed", "a", job.key)
    assert "the worker died (KilledWorker); give each more memory" in state.error


def test_without_dask_one_worker_still_works(painted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    entries = [painted("a"), painted("b")]
    with pytest.raises(InputError, match="several workers need Dask: pip install"):
        extract(entries, SETTINGS, tmp_path / "s.h5", workers=2)
    assert len(extract(entries, SETTINGS, tmp_path / "s.h5").states) == 2


def test_jobs_are_small_and_say_where(painted, tmp_path):
    [job] = make_jobs([painted()], SETTINGS, tmp_path / "s.h5", tmp_path / "p")
    assert len(pickle.dumps(job)) < 2000
    assert job.part.is_absolute()
    assert task.extract_slide(job).total == 12


def test_a_worker_in_another_folder_finds_the_slides(painted, tmp_path, monkeypatch):
    entry = painted()
    monkeypatch.chdir(entry.path.parent)
    [job] = make_jobs([replace(entry, path=Path(entry.path.name))], SETTINGS, Path("s.h5"), Path("p"))
    assert job.key == make_jobs([entry], SETTINGS, Path("s.h5"), Path("p"))[0].key
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert task.extract_slide(job).total == 12
    assert list(Path().iterdir()) == []


def test_nothing_to_do_needs_no_scheduler():
    assert list(running.run_jobs([], "tcp://127.0.0.1:9")) == []
