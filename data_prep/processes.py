"""Processes that work beside each other and end with the one that started them."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from data_prep.errors import InputError


@contextmanager
def worker_pool(
    workers: int, start: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """Yield `workers` fresh processes, in each of which `start(*arguments)` runs first.

    Work that waits is dropped when the block ends early. A process that is killed, by the system for want of memory as
    a rule, is an `InputError`; one whose parent is killed ends by itself.
    """
    # Not forked: a fork of a process with threads may hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (start, arguments))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise InputError("a worker process was killed, perhaps for want of memory; use fewer --workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(start: Callable[..., None] | None, arguments: tuple) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
