"""Runs the jobs: one after the other, in processes of this machine, or on a Dask cluster anywhere."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from queue import Empty, Queue
from threading import Thread
from typing import Any

import cv2

from data_prep.errors import InputError
from data_prep.extraction.job import Job
from data_prep.extraction.state import SlideState
from data_prep.extraction.task import extract_slide

LOCAL = "local"
# Seconds.
_PATIENCE = 30


def run_jobs(jobs: Sequence[Job], scheduler: str = LOCAL, workers: int = 1) -> Iterator[SlideState]:
    """The state of each slide as it gets ready, in any order.

    `scheduler`: "local" for `workers` processes here (1: this very process), or the address of a Dask scheduler, whose
    workers must see the same paths. Raises `InputError` where there is no such scheduler.
    """
    workers = min(workers, len(jobs))
    if not jobs or (scheduler == LOCAL and workers <= 1):
        yield from map(extract_slide, jobs)
        return
    with _client(scheduler, workers) as client:
        from distributed import as_completed

        futures = {client.submit(_among_others, job, pure=False): job for job in jobs}
        for future in as_completed(futures):
            yield _result(future, futures[future])


def _among_others(job: Job) -> SlideState:
    cv2.setNumThreads(1)  # there are workers enough; their threads would stand in each other's way
    return extract_slide(job)


def _result(future: Any, job: Job) -> SlideState:
    """What the worker returned; a worker that died takes only its slide along."""
    error = future.exception()
    if isinstance(error, InputError):
        raise error
    if error is not None:
        reason = f"{job.entry.path}: the worker died ({type(error).__name__}); give each more memory, or start fewer"
        return SlideState(job.key, job.entry.slide, "failed", error=reason)
    return future.result()


@contextmanager
def _client(scheduler: str, workers: int) -> Iterator[Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError("several workers need Dask: pip install 'mta[slides]', or give --workers 1") from error
    if scheduler == LOCAL:
        with _without_ctrl_c():
            # Any free port for its status pages: with None it takes 8787, and a second run complains.
            status = "127.0.0.1:0"
            cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=status, silence_logs=40)
        with cluster, Client(cluster) as client:
            yield client
        return
    with _connected(Client, scheduler) as client:
        yield client


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes that begin in the block never hear of Ctrl-C, and print nothing of it; this one hears afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _connected(client: Any, scheduler: str) -> Any:
    """A `client` of `scheduler`; `InputError` where what answers there, a web server perhaps, is no Dask scheduler.

    In a thread, since Dask waits for ever where a port is open and says nothing.
    """
    answer: Queue[Any] = Queue()

    def connect() -> None:
        try:
            answer.put(client(scheduler, timeout=_PATIENCE))
        except Exception as error:
            answer.put(error)

    Thread(target=connect, daemon=True).start()
    try:
        found = answer.get(timeout=_PATIENCE + 5)
    except Empty:
        found = TimeoutError(f"silence for {_PATIENCE + 5} s")
    if isinstance(found, Exception):
        reason = " ".join(str(found).split()) or type(found).__name__
        raise InputError(f"--scheduler {scheduler}: no Dask scheduler answers there ({reason}); start one") from found
    return found
