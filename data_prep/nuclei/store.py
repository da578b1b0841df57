"""From a store of patches to the same store with the label map of each patch."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.segmenters import Segmenter
from data_prep.store import Patches, StoreWriter

# Enough work for a process at a time, and little to hold.
BATCH = 32
MOST = np.iinfo(np.uint16).max
Progress = Callable[[Iterable[int]], Iterable[int]]
_Batch = tuple[np.ndarray, pd.DataFrame]


@dataclass(frozen=True)
class _Job:
    """What a worker process does with a batch."""

    segmenter: Segmenter

    def __call__(self, batch: _Batch) -> np.ndarray:
        import cv2

        cv2.setNumThreads(1)
        return self.segmenter(*batch)


def store_nuclei(
    patches: Patches,
    concepts: pd.DataFrame,
    segmenter: Segmenter,
    out: Path,
    mpp: float | None = None,
    workers: int = 1,
    progress: Progress = iter,
) -> np.ndarray:
    """Write `patches` and `concepts` (`attrs["units"]`) as a flat store with `masks`; returns the nuclei a patch (n,).

    `mpp`: micrometres a pixel of the rows that have none. `workers`: processes that segment beside each other; the
    store is the same for any number. Memory holds one block of patches. `InputError` as by the segmenter.
    """
    rows = patches.rows if mpp is None else patches.rows.fillna({"mpp": mpp})
    counts = np.zeros(len(patches), np.int64)
    with ExitStack() as stack:
        run = _runner(stack, segmenter, workers)
        writer = stack.enter_context(_writer(out, patches, concepts))
        for start in progress(range(0, len(patches), patches.block)):
            block, own = patches.read(start, start + patches.block), rows.iloc[start : start + patches.block]
            masks = np.concatenate(list(run(_batches(block, own))))
            _require_room(out, masks)
            counts[start : start + len(own)] = masks.max((1, 2))
            writer.append(block, own, concepts.iloc[start : start + len(own)], masks)
    return counts


def _require_room(out: Path, masks: np.ndarray) -> None:
    if (most := int(masks.max(initial=0))) > MOST:
        raise InputError(f"{out}: {most} nuclei in one patch, a store numbers up to {MOST}; check the segmenter")


def _writer(out: Path, patches: Patches, concepts: pd.DataFrame) -> StoreWriter:
    # The original's own masks are not among what goes back into its layout: these here are others.
    origin = patches.origin.assign(masks="")
    return StoreWriter(out, patches.size, concepts.attrs["units"], patches.size, origin, patches.attributes)


def _runner(stack: ExitStack, segmenter: Segmenter, workers: int) -> Callable[[Iterable[_Batch]], Iterable[np.ndarray]]:
    job = _Job(segmenter)
    if workers <= 1:
        return lambda batches: map(job, batches)
    # Not forked: a fork of a process with threads may hang.
    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
    return lambda batches: pool.map(job, batches)


def _batches(block: np.ndarray, rows: pd.DataFrame) -> Iterator[_Batch]:
    for start in range(0, len(block), BATCH):
        yield block[start : start + BATCH], rows.iloc[start : start + BATCH]
