"""One slide of a cohort: what it depends on, where its files lie, and whether they are there."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.cohorts import SlideEntry
from data_prep.extraction.job import safe_name
from data_prep.files import write_json
from mta.predictor import Predictor
from mta.provenance import fingerprint
from mta.slides.settings import SlideSettings

# A change of the code after which the same settings give other files takes the next number.
VERSION = 1


@dataclass(frozen=True)
class SlideJob:
    """`entry` is predicted into `folder`. `key`: hash of model, settings and slide."""

    entry: SlideEntry
    folder: Path
    key: str

    @property
    def state(self) -> Path:
        """What vouches for the other files; written last."""
        return self.folder / "state.json"

    @property
    def summary(self) -> Path:
        """The slide in a few numbers."""
        return self.folder / "summary.json"


def make_jobs(
    entries: Sequence[SlideEntry], predictor: Predictor, settings: SlideSettings, out: Path
) -> list[SlideJob]:
    """A job for each of `entries`, in their order."""
    shared = {"version": VERSION, "settings": settings.as_json(), "model": [_digest(path) for path in predictor.files]}
    return [_job(entry, shared, out) for entry in entries]


def _job(entry: SlideEntry, shared: dict[str, Any], out: Path) -> SlideJob:
    # Content, not place or time: a slide that was moved or copied is the same slide.
    slide = fingerprint(entry.path) if entry.path.is_file() else None
    text = json.dumps({**shared, "slide": [entry.path.name, slide]}, sort_keys=True)
    return SlideJob(entry, out / safe_name(entry.slide), hashlib.sha256(text.encode()).hexdigest())


def clear(job: SlideJob) -> None:
    """Remove what an earlier run wrote for the slide: of another model, perhaps, or with other settings."""
    for name in _state(job).get("files", ()):
        (job.folder / Path(name).name).unlink(missing_ok=True)
    job.state.unlink(missing_ok=True)


def finish(job: SlideJob, summary: dict[str, Any], files: Sequence[Path]) -> None:
    """Write `summary` and then the state that vouches for it and for `files` of the folder."""
    write_json(job.summary, summary)
    digests = {path.name: _digest(path) for path in (*files, job.summary)}
    write_json(job.state, {"key": job.key, "files": digests})


def finished(job: SlideJob) -> dict[str, Any] | None:
    """The summary of a slide that need not be predicted again: with this key, and all its files are as they were."""
    state = _state(job)
    if state.get("key") != job.key:
        return None
    try:
        if any(_digest(job.folder / name) != digest for name, digest in state["files"].items()):
            return None
        return json.loads(job.summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _state(job: SlideJob) -> dict[str, Any]:
    """What is in the state file; nothing where there is none, or something else."""
    try:
        state = json.loads(job.state.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) and isinstance(state.get("files"), dict) else {}


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
