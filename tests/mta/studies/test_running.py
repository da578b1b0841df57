import pytest

from mta.studies import running
from mta.studies.job import jobs_of
from mta.studies.plan import read_plan
from tests.mta.studies import work
from tests.mta.studies.builders import write_plan


@pytest.fixture(autouse=True)
def no_tensorflow(monkeypatch):
    monkeypatch.setattr(running, "start_worker", work.start)
    monkeypatch.setattr(running, "run_job", work.write)


@pytest.fixture
def jobs(tmp_path):
    return jobs_of(read_plan(write_plan(tmp_path)), tmp_path / "out")


def test_every_seed_of_every_row_is_a_job(jobs):
    assert [(job.row, job.seed) for job in jobs[:4]] == [("plain", 1), ("mta", 1), ("noise", 1), ("plain", 2)]
    assert len({job.folder for job in jobs}) == 9


def test_a_process_does_one_run_after_another(jobs, capsys):
    assert running.run_jobs(jobs, 2, quiet=False) == {}
    assert len({(job.folder / "process").read_text() for job in jobs}) == 2
    shown = capsys.readouterr().err
    assert shown.count("few patients") == 1
    assert "9/9" in shown


def test_a_killed_worker_and_a_failed_run_are_reported_and_the_rest_goes_on(jobs, capsys, monkeypatch):
    monkeypatch.setattr(running, "run_job", work.fail_or_die)
    failed = running.run_jobs(jobs, 2, quiet=True)
    assert set(failed) == {"mta/1", "mta/2"}
    assert "was killed" in failed["mta/1"]
    assert failed["mta/2"] == "mta/2: lacks something"
    assert sum((job.folder / "predictions.csv").exists() for job in jobs) == 7
    assert "mta/1: its process was killed" in capsys.readouterr().err


def test_any_error_fails_its_run_alone(jobs, monkeypatch):
    monkeypatch.setattr(running, "run_job", work.break_down)
    assert running.run_jobs(jobs, 2, quiet=True) == {"mta/3": "mta/3: MemoryError: no room"}
    assert sum((job.folder / "predictions.csv").exists() for job in jobs) == 8


def test_nothing_to_do_starts_no_process(monkeypatch):
    monkeypatch.setattr(running, "worker_pool", None)
    assert running.run_jobs([], 2, quiet=True) == {}
