"""From a store of patches to the same store with the label map of each patch."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.segmenters import Segmenter
from data_prep.processes import worker_pool
from data_prep.store import Patches, StoreWriter

# Enough work for a process at a time, and little to hold.
BATCH = 32
MOST = np.iinfo(np.uint16).max
Progress = Callable[[Iterable[int]], Iterable[int]]
_Batch = tuple[np.ndarray, pd.DataFrame]
_Run = Callable[[Iterable[_Batch]], Iterable[np.ndarray]]


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
    with _runner(segmenter, workers) as run, _writer(out, patches, concepts) as writer:
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


@contextmanager
def _runner(segmenter: Segmenter, workers: int) -> Iterator[_Run]:
    if workers <= 1:
        yield lambda batches: (segmenter(*batch) for batch in batches)
        return
    with worker_pool(workers, _start, segmenter) as pool:
        yield lambda batches: pool.map(_work, batches)


_segmenter: Segmenter | None = None


def _start(segmenter: Segmenter) -> None:
    global _segmenter
    cv2.setNumThreads(1)
    _segmenter = segmenter


def _work(batch: _Batch) -> np.ndarray:
    assert _segmenter is not None  # noqa: S101 - `_start` ran in this process
    return _segmenter(*batch)


def _batches(block: np.ndarray, rows: pd.DataFrame) -> Iterator[_Batch]:
    for start in range(0, len(block), BATCH):
        yield block[start : start + BATCH], rows.iloc[start : start + BATCH]
