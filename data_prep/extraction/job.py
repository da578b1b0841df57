"""One slide's share of an extraction: small enough to send to any machine, with paths and never pixels."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data_prep.cohorts import SlideEntry
from data_prep.cohorts.entry import require_different
from data_prep.extraction.settings import ExtractionSettings

# A change of the code after which the same settings give other patches takes the next number.
VERSION = 2


@dataclass(frozen=True)
class Job:
    """`entry` is cut with `settings` into `part`, `state` says how it went, `preview` shows where.

    `source`: of the rows, the stem of the store to be. `key`: hash of all that the patches depend on.
    """

    entry: SlideEntry
    settings: ExtractionSettings
    source: str
    part: Path
    state: Path
    preview: Path
    key: str


def make_jobs(entries: Sequence[SlideEntry], settings: ExtractionSettings, out: Path, previews: Path) -> list[Job]:
    """A job for each slide of the cohort, in its order. `InputError` where two slides have one name."""
    require_different(entries)
    parts = parts_folder(out).absolute()
    return [_job(entry, settings, out.stem, parts, previews.absolute()) for entry in entries]


def parts_folder(out: Path) -> Path:
    """Where the parts of the store `out` lie until it is complete."""
    return out.with_name(out.name + ".parts")


def _job(entry: SlideEntry, settings: ExtractionSettings, source: str, parts: Path, previews: Path) -> Job:
    name = safe_name(entry.slide)
    # A worker elsewhere stands in another folder.
    entry = replace(entry, path=entry.path.absolute(), annotation=entry.annotation and entry.annotation.absolute())
    key = _key(entry, settings, source)
    return Job(entry, settings, source, parts / f"{name}.h5", parts / f"{name}.json", previews / f"{name}.png", key)


def safe_name(slide: str) -> str:
    """`slide` as a file name: what could lead to another folder, or no system allows, is written as %XX."""
    return re.sub(r'[\x00-\x1f%/\\:*?"<>|]|^\.', lambda match: f"%{ord(match[0]):02X}", slide)


def _key(entry: SlideEntry, settings: ExtractionSettings, source: str) -> str:
    parts: dict[str, Any] = {
        "version": VERSION,
        "settings": settings.as_json(),
        "source": source,
        "entry": entry_values(entry),
        "slide": _fingerprint(entry.path),
        "annotation": None if entry.annotation is None else _digest(entry.annotation),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def entry_values(entry: SlideEntry) -> dict[str, Any]:
    """What the cohort says of a slide, without where its files lie."""
    return {name: value for name, value in asdict(entry).items() if not isinstance(value, Path)}


def _fingerprint(path: Path) -> tuple[str, int, int] | None:
    """Name, size and time of a slide: reading gigabytes to know them again would cost more than cutting them."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return path.name, stat.st_size, stat.st_mtime_ns


def _digest(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
