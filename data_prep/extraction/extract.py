"""From a cohort of slides to one store, in any number of attempts."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.claims import claimed
from data_prep.cohorts import SlideEntry
from data_prep.errors import InputError
from data_prep.extraction.job import Job, make_jobs, parts_folder
from data_prep.extraction.merge import merge, remove_parts
from data_prep.extraction.running import LOCAL, run_jobs
from data_prep.extraction.settings import ExtractionSettings
from data_prep.extraction.state import SlideState, finished
from data_prep.extraction.summary import write_summary
from data_prep.files import make_folder, require_destination
from data_prep.store import read_attribute, require_apart
from data_prep.store.words import counted

# Wraps the iteration over the slides that get ready, for a progress bar (second argument: how many there are).
Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def _silent(items: Iterable[Any], _: int) -> Iterable[Any]:
    return items


@dataclass(frozen=True)
class Extraction:
    """What came of a cohort: a state for each slide, in its order; none where the store was complete before."""

    states: tuple[SlideState, ...]
    summary: Path

    @property
    def failed(self) -> list[SlideState]:
        """The slides to extract again."""
        return [state for state in self.states if state.status == "failed"]


def extract(
    entries: Sequence[SlideEntry],
    settings: ExtractionSettings,
    out: Path,
    *,
    scheduler: str = LOCAL,
    workers: int = 1,
    previews: Path | None = None,
    overwrite: bool = False,
    progress: Progress = _silent,
) -> Extraction:
    """Cut patches from the slides `entries` and write them to the store `out`, in the order of the cohort.

    Each slide is a task of its own (`run_jobs` takes `scheduler` and `workers`). Its patches wait in
    `OUT.parts/` until all are merged, so a run that was stopped goes on where it was; slides that failed are left out
    of the store, keep the parts of the others and are tried again by the next run. Beside the store come a summary
    (`OUT` with the ending .summary.md) and a picture of each slide (`previews`, default: `OUT` ending in .previews).
    `overwrite`: replace a store that another extraction has made.

    Raises `InputError` where there is no slide or two of one name, where `out` cannot be written or holds something
    else, where another run is making it, where a slide or annotation would be replaced, and where not one patch was
    found.
    """
    if not entries:
        raise InputError("no slide given; name slides, or a table of them with --cohort FILE.csv")
    summary = out.with_suffix(".summary.md")
    jobs = make_jobs(entries, settings, out, previews or out.with_suffix(".previews"))
    require_destination(out)
    read = [path for job in jobs for path in (job.entry.path, job.entry.annotation) if path]
    require_apart([out, summary, *(job.preview for job in jobs)], read)
    if _is_complete(out, jobs, overwrite):
        return Extraction((), summary)
    make_folder(jobs[0].preview.parent)
    with claimed(parts_folder(out)):
        extraction = Extraction(tuple(_run(jobs, scheduler, workers, progress)), summary)
        _finish(jobs, extraction, out)
    return extraction


def _finish(jobs: Sequence[Job], extraction: Extraction, out: Path) -> None:
    """Summary and store; the parts go when nothing is left to do."""
    states, summary = extraction.states, extraction.summary
    write_summary(summary, jobs, states)
    if not any(state.total for state in states):
        slides = counted(len(jobs), "slide")
        raise InputError(f"{out}: not a single patch from {slides}, see {summary}; first: {states[0].error}")
    merge(jobs, states, out)
    if not extraction.failed:
        remove_parts(out)


def _is_complete(out: Path, jobs: Sequence[Job], overwrite: bool) -> bool:
    """Whether `out` holds just these slides already; `InputError` where it holds others and may not be replaced.

    Slides that failed do not count: to be mended they had to change.
    """
    if not out.exists():
        return False
    recorded, wanted = _recorded(out), {job.entry.slide: job.key for job in jobs}
    held = {slide: key for slide, (key, status) in recorded.items() if status != "failed"}
    if not overwrite and not (held and held.items() <= wanted.items()):
        raise InputError(f"{out}: exists already, made of other slides or settings; choose another name or --overwrite")
    return held == wanted == {slide: key for slide, (key, _) in recorded.items()}


def _recorded(out: Path) -> dict[str, tuple[str, str]]:
    """Key and status of each slide that the store `out` was made of; empty where it says nothing of the kind."""
    try:
        slides = json.loads(read_attribute(out, "extraction") or "{}")["slides"]
        return {slide["slide"]: (slide["key"], slide["status"]) for slide in slides}
    except (InputError, KeyError, TypeError):
        return {}


def _run(jobs: Sequence[Job], scheduler: str, workers: int, progress: Progress) -> list[SlideState]:
    """The state of each job, in order; what is finished is not sent to any worker."""
    states = {job.entry.slide: state for job in jobs if (state := finished(job))}
    missing = [job for job in jobs if job.entry.slide not in states]
    for state in progress(run_jobs(missing, scheduler, workers), len(missing)):
        states[state.slide] = state
    return [states[job.entry.slide] for job in jobs]
