"""What is known of a slide after its turn: a JSON file beside its part."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from data_prep.errors import InputError
from data_prep.extraction.job import Job
from data_prep.files import write_json
from data_prep.store import open_patches

Status = Literal["done", "empty", "failed"]


@dataclass(frozen=True)
class SlideState:
    """How a slide went. `key`: of its job. `patches`: kept, by class. `refused`: by class and reason.

    `status`: done, empty (nothing to cut, `error` says why) or failed (`error`). `mpp`: of level 0, None where it is
    not known. `notes`: what was mended or is worth knowing. `unknown`: classes of regions that were left aside.
    """

    key: str
    slide: str
    status: Status
    mpp: float | None = None
    patches: dict[str, int] = field(default_factory=dict)
    refused: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Patches in all."""
        return sum(self.patches.values())


def write_state(path: Path, state: SlideState) -> None:
    """Write `state`, whole or not at all."""
    write_json(path, asdict(state), durable=False)


def finished(job: Job) -> SlideState | None:
    """The state of a slide that need not be cut again: it was with this key, and its part is all there; else None."""
    state = read_state(job.state)
    if state is None or state.key != job.key or state.status == "failed":
        return None
    return state if state.status == "empty" or _patches_in(job.part) == state.total else None


def read_state(path: Path) -> SlideState | None:
    """The state in `path`; None where there is none, or it was left by something else or half-written."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        state = SlideState(**{**values, **{name: tuple(values[name]) for name in ("notes", "unknown")}})
        return state if state.total >= 0 else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _patches_in(part: Path) -> int:
    try:
        with open_patches(part) as patches:
            return len(patches)
    except InputError:
        return -1
