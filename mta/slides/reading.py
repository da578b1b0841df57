"""Patches read and normalized by threads while the model works on those before."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from data_prep.slides import Slide
from mta.predicting import BATCH
from mta.slides.grid import Grid
from mta.slides.staining import Normalize

AHEAD = 2
"""Batches that wait for the model beside those that are being read."""


def batches(slide: Slide, grid: Grid, normalize: Normalize, workers: int) -> Iterator[tuple[slice, np.ndarray]]:
    """The rows of `grid.places` and their patches (n, size, size, 3) uint8, normalized, `BATCH` at a time, in order.

    At most `workers` + 2 batches are in memory. Raises `InputError` where the slide is damaged.
    """
    pool, waiting = ThreadPoolExecutor(workers), deque[tuple[slice, Future[np.ndarray]]]()
    try:
        for start in range(0, len(grid.places), BATCH):
            rows = slice(start, min(start + BATCH, len(grid.places)))
            waiting.append((rows, pool.submit(_prepare, slide, grid, rows, normalize)))
            if len(waiting) == workers + AHEAD:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _next(waiting: deque[tuple[slice, Future[np.ndarray]]]) -> tuple[slice, np.ndarray]:
    rows, future = waiting.popleft()
    return rows, future.result()


def _prepare(slide: Slide, grid: Grid, rows: slice, normalize: Normalize) -> np.ndarray:
    places = grid.places[rows]
    patches = np.empty((len(places), grid.size, grid.size, 3), np.uint8)
    for patch, (x, y) in zip(patches, places.tolist(), strict=True):
        patch[:] = slide.read(x, y, grid.size, grid.mpp)
    return normalize(patches)
