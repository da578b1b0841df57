"""Parts become one store, in the order of the cohort."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.extraction.job import Job, parts_folder
from data_prep.extraction.state import SlideState
from data_prep.store import StoreWriter, open_patches


def merge(jobs: Sequence[Job], states: Sequence[SlideState], out: Path) -> None:
    """Write the parts of `jobs` that are done (`states`, in the same order) as the flat store `out`, whole or not.

    Raises `InputError` where a part is damaged; its slide will be cut again.
    """
    settings = jobs[0].settings
    done = [job for job, state in zip(jobs, states, strict=True) if state.status == "done"]
    record = {"extraction": json.dumps(describe(jobs, states))}
    with StoreWriter(out, (settings.size, settings.size), attributes=record) as writer:
        for job in done:
            for piece in _pieces(job):
                writer.append(*piece)
                del piece  # before the next is read: memory holds one


def _pieces(job: Job) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
    """The patches of the part of `job` with their rows, block by block; checksums are compared on reading."""
    try:
        with open_patches(job.part) as patches:
            for start in range(0, len(patches), patches.block):
                stop = start + patches.block
                yield patches.read(start, stop), patches.rows.iloc[start:stop]
    except InputError as error:
        job.state.unlink()
        raise InputError(f"{error}; run the same command again, it cuts {job.entry.slide} anew") from error


def describe(jobs: Sequence[Job], states: Sequence[SlideState]) -> dict[str, object]:
    """What the store says of its extraction: settings, and of each slide its scale, its counts and its key.

    `refused`: places by class and reason. `reason`: why a slide has no patch.
    """
    slides = [
        {
            "slide": job.entry.slide,
            "status": state.status,
            "level0_mpp": state.mpp,
            "given_mpp": job.entry.mpp,
            "patches": state.patches,
            "refused": state.refused,
            "reason": _without_folders(state.error, job),
            "key": job.key,
        }
        for job, state in zip(jobs, states, strict=True)
    ]
    return {"settings": jobs[0].settings.as_json(), "slides": slides}


def _without_folders(reason: str, job: Job) -> str:
    """`reason` without where the files lie, which changes nothing and is nobody else's business."""
    for path in (job.entry.path, job.entry.annotation):
        reason = reason if path is None else reason.replace(f"{path.parent}{os.sep}", "")
    return reason


def remove_parts(out: Path) -> None:
    """Remove the parts of the store `out`, which now holds them."""
    shutil.rmtree(parts_folder(out), ignore_errors=True)
