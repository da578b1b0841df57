"""The concepts of every patch of a store, block by block, by one or several processes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from data_prep.concepts.catalog import Concept
from data_prep.concepts.control import RANDOM, random_concept
from data_prep.concepts.measuring import measure_rows
from data_prep.concepts.registry import chosen, load_plugin, unregister
from data_prep.errors import InputError
from data_prep.processes import worker_pool
from data_prep.store import KEY, Patches, open_patches
from data_prep.store.concept_file import require_unique

# Enough work for a process at a time, and little to hold.
BATCH = 32
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class Job:
    """What is measured on the patches of `store` (as `open_patches` takes it).

    `names`: concepts, None for all. `segmenter`: as `make_segmenter` takes it, "" for the masks of the store, or the
    classical one where it has none. `mpp`: micrometres a pixel of the rows that do not know theirs. `plugin`: a Python
    file with concepts of the user's own. `seed`: of the random control, None for none.
    """

    store: str
    names: tuple[str, ...] | None = None
    segmenter: str = ""
    mpp: float | None = None
    plugin: Path | None = None
    seed: int | None = None


def measure_store(job: Job, workers: int = 1, progress: Progress = iter) -> pd.DataFrame:
    """Measure: float64 columns, one a concept, NaN = absent, under a MultiIndex (source, entry, patch_no).

    `attrs` hold "units" and "descriptions" by name, and "nuclei", where the nuclei came from ("" where none were
    needed). `progress` wraps the iteration over the starts of the blocks. The values are the same for any number of
    `workers`; memory holds a block each. Raises `InputError` for unknown concepts, two patches of one name, and
    whatever keeps a patch from being measured.
    """
    station = Station(job)
    rows = station.rows
    keys = pd.MultiIndex.from_frame(rows[KEY])
    require_unique(job.store, keys)
    with station, _runner(job, station, workers) as run:
        starts = progress(range(0, len(rows), BATCH))
        values = [block for _, block in zip(starts, run(range(0, len(rows), BATCH)), strict=True)]
    table = pd.DataFrame(np.concatenate(values), keys, list(station.concepts), "float64")
    table.attrs = station.attributes()
    return _with_control(table, job, rows)


def _with_control(table: pd.DataFrame, job: Job, rows: pd.DataFrame) -> pd.DataFrame:
    if job.seed is not None:
        table[RANDOM] = random_concept(rows, job.seed)
        table.attrs["units"][RANDOM] = "1"
        table.attrs["descriptions"][RANDOM] = f"control without information, seed {job.seed}"
    return table


class Station:
    """One process' share of a `Job`.

    `concepts`: what it measures, by name. `rows`: the row table, mpp filled in. `nuclei`: where they come from.
    """

    def __init__(self, job: Job) -> None:
        self.concepts = _concepts(job)
        self._patches = open_patches(job.store)
        rows = self._patches.rows
        self.rows = rows if job.mpp is None else rows.fillna({"mpp": job.mpp})
        needed = any(concept.needs_nuclei for concept in self.concepts.values())
        self.nuclei = (job.segmenter or _default_nuclei(self._patches)) if needed else ""
        self._find = _finder(self._patches, self.nuclei)

    def __enter__(self) -> "Station":
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def __call__(self, start: int) -> np.ndarray:
        """The values (n, concepts) of the block of rows that begins at `start`."""
        rows = self.rows.iloc[start : start + BATCH]
        if not self.concepts:
            return np.empty((len(rows), 0))
        images = self._patches.read(start, start + BATCH)
        return measure_rows(images, self._find(start, images, rows), rows, self.concepts).to_numpy()

    def attributes(self) -> dict[str, object]:
        """The `attrs` of the table."""
        units = {name: concept.unit for name, concept in self.concepts.items()}
        descriptions = {name: concept.description for name, concept in self.concepts.items()}
        return {"units": units, "descriptions": descriptions, "nuclei": self.nuclei}


def _concepts(job: Job) -> dict[str, Concept]:
    """The concepts of a job; those of its plugin are registered for no longer than it takes to choose."""
    names = () if job.plugin is None else load_plugin(job.plugin)
    try:
        return chosen(job.names)
    finally:
        for name in names:
            unregister(name)


MASKS = "masks of the store"
_Finder = Callable[[int, np.ndarray, pd.DataFrame], np.ndarray | None]


def _default_nuclei(patches: Patches) -> str:
    if not patches.mask_shape:
        return "classical"
    # Rows without a mask are read as zeros, which would count as no nuclei.
    if bare := [str(path) for path in patches.files if not _has_masks(path)]:
        raise InputError(f"{bare[0]}: has no masks, while other files have; measure the files apart, or --segmenter")
    return MASKS


def _has_masks(path: Path) -> bool:
    with open_patches(path) as patches:
        return bool(patches.mask_shape)


def _finder(patches: Patches, nuclei: str) -> _Finder:
    """What gives the labels of a block from its start, its images and its rows."""
    if not nuclei:
        return lambda start, images, rows: None
    if nuclei == MASKS:
        return lambda start, images, rows: patches.read_masks(start, start + len(rows))
    from data_prep.nuclei import make_segmenter

    segmenter = make_segmenter(nuclei, extraction=patches.attributes.get("extraction", "{}"))
    return lambda start, images, rows: segmenter(images, rows)


_station: Station | None = None


def _start(job: Job) -> None:
    global _station
    cv2.setNumThreads(1)
    _station = Station(job)


def _work(start: int) -> np.ndarray:
    assert _station is not None  # noqa: S101 - `_start` ran in this process
    return _station(start)


@contextmanager
def _runner(job: Job, station: Station, workers: int) -> Iterator[Callable[[Iterable[int]], Iterable[np.ndarray]]]:
    if workers <= 1:
        yield lambda starts: map(station, starts)
        return
    with worker_pool(workers, _start, job) as pool:
        yield lambda starts: pool.map(_work, starts)
