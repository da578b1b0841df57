"""Parts become one store, in the order of the cohort."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from data_prep.errors import InputError
from data_prep.extraction.job import Job, parts_folder
from data_prep.extraction.state import SlideState
from data_prep.extraction.tally import brightness, tally
from data_prep.store import StoreWriter, open_patches
from data_prep.store.patches import Patches


def merge(jobs: Sequence[Job], states: Sequence[SlideState], out: Path) -> None:
    """Write the parts of `jobs` that are done (`states`, in the same order) as the flat store `out`, whole or not.

    Raises `InputError` where parts are not what their states vouch for; their slides will be cut again.
    """
    settings = jobs[0].settings
    done = [(job, state) for job, state in zip(jobs, states, strict=True) if state.status == "done"]
    record = {"extraction": json.dumps(describe(jobs, states))}
    with StoreWriter(out, (settings.size, settings.size), attributes=record) as writer:
        if damaged := [job for job, state in done if _copy(job.part, writer) != state.tally]:
            for job in damaged:
                job.state.unlink()
            names = ", ".join(job.entry.slide for job in damaged)
            raise InputError(
                f"{damaged[0].part.parent}: lost patches of {names} since they were cut, as a power cut does; "
                "run the same command again, it cuts them anew"
            )


def _copy(part: Path, writer: StoreWriter) -> int:
    """Append `part`; its tally."""
    pixels = 0
    with open_patches(part) as patches:
        for start in range(0, len(patches), patches.block):
            pixels += _copy_block(patches, slice(start, start + patches.block), writer)
        return tally(pixels, patches.rows)


def _copy_block(patches: Patches, span: slice, writer: StoreWriter) -> int:
    """Append the patches of `span`, of which nothing is held while the next are read; their brightness."""
    block = patches.read(span.start, span.stop)
    writer.append(block, patches.rows.iloc[span])
    return brightness(block)


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
