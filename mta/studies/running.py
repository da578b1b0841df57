"""Many runs in few processes, each of which starts TensorFlow once and does one run after another."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager

from data_prep.console import progress, warn
from data_prep.errors import InputError
from data_prep.processes import worker_pool
from mta.studies.job import Job, run_job, start_worker


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(jobs: Sequence[Job], workers: int, quiet: bool) -> dict[str, str]:
    """Do `jobs` in `workers` processes, with one progress bar; returns name -> reason of those that failed.

    A run that fails, or whose process is killed, is reported and left out; the others go on.
    """
    failed: dict[str, str] = {}
    told: set[str] = set()
    for job, outcome in progress(_outcomes(jobs, workers), "study", len(jobs), quiet):
        if isinstance(outcome, str):
            failed[job.name] = outcome
            warn(outcome)
        for note in [] if isinstance(outcome, str) else outcome:
            if note not in told and not quiet:
                warn(f"{job.name}: {note.removeprefix('warning: ')}")
            told.add(note)
    return failed


def _outcomes(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, list[str] | str]]:
    """Each job as it ends, with its warnings or why it failed."""
    waiting, crew = list(reversed(jobs)), _Crew(min(workers, len(jobs)))
    running: dict[Future, tuple[int, Job]] = {}
    try:
        for place in range(crew.size):
            job = waiting.pop()
            running[crew.submit(place, job)] = place, job
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                place, job = running.pop(future)
                yield job, _outcome(future, job)
                if waiting:
                    job = waiting.pop()
                    running[crew.submit(place, job)] = place, job
    finally:
        crew.close()


def _outcome(future: Future, job: Job) -> list[str] | str:
    try:
        return future.result()
    except BrokenProcessPool:
        return f"{job.name}: its process was killed, perhaps for want of memory; fewer --workers may help"
    except InputError as error:
        return str(error)
    except Exception as error:  # whatever it was, out of memory for one, it is this run's
        return f"{job.name}: {type(error).__name__}: {error}".splitlines()[0]


class _Crew:
    """Places for workers, each with a pool of one process, so that a killed one takes only its own run along."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._threads = max(1, cores() // size) if size else 1
        self._pools: dict[int, tuple[AbstractContextManager, ProcessPoolExecutor]] = {}

    def submit(self, place: int, job: Job) -> Future:
        """Start `job` at `place`, in a new process where the old one is gone."""
        try:
            return self._pool(place).submit(run_job, job)
        except BrokenProcessPool:
            self._leave(place)
            return self._pool(place).submit(run_job, job)

    def _pool(self, place: int) -> ProcessPoolExecutor:
        if place not in self._pools:
            context = worker_pool(1, start_worker, self._threads)
            self._pools[place] = context, context.__enter__()
        return self._pools[place][1]

    def _leave(self, place: int) -> None:
        context, _ = self._pools.pop(place)
        context.__exit__(None, None, None)

    def close(self) -> None:
        """End all processes, after the runs that are under way."""
        for place in list(self._pools):
            self._leave(place)
