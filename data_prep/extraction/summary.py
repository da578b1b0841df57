"""What came of every slide, as a page to read beside the store."""

import json
from collections.abc import Sequence
from pathlib import Path

from data_prep.extraction.job import Job
from data_prep.extraction.state import SlideState
from data_prep.files import write_text
from data_prep.sampling import UNLABELLED
from data_prep.store.words import counted

KINDS = ("normal", "tumor", UNLABELLED)
REASONS = ("white", "black", "dark")


def write_summary(path: Path, jobs: Sequence[Job], states: Sequence[SlideState]) -> None:
    """Write the Markdown page: totals, failures, slides without patches, one line a slide, settings."""
    lines = [f"# Extraction of {jobs[0].source}", "", totals(states) + ".", ""]
    lines += _section("Failed: extracted again with the next run", [s for s in states if s.status == "failed"])
    lines += _section("Without a patch", [s for s in states if s.status == "empty"])
    lines += ["## Slides", "", *_table(states), ""]
    lines += _notes(states)
    lines += ["## Settings", "", "```json", json.dumps(jobs[0].settings.as_json(), indent=2), "```", ""]
    write_text(path, "\n".join(lines))


def totals(states: Sequence[SlideState]) -> str:
    """The extraction in one line."""
    counts = {kind: sum(state.patches.get(kind, 0) for state in states) for kind in KINDS}
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "none"
    failed = sum(state.status == "failed" for state in states)
    return f"{counted(sum(counts.values()), 'patch')} ({found}) of {counted(len(states), 'slide')}, {failed} failed"


def _section(title: str, states: Sequence[SlideState]) -> list[str]:
    return [f"## {title}", "", *(f"* {_cell(s.slide)}: {_cell(s.error)}" for s in states), ""] if states else []


def _table(states: Sequence[SlideState]) -> list[str]:
    heads = ("slide", "status", "um/px", *KINDS, *(f"refused {reason}" for reason in REASONS))
    lines = [heads, tuple("---" for _ in heads), *map(_line, states)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _line(state: SlideState) -> tuple[str, ...]:
    refused = [sum(reasons.get(reason, 0) for reasons in state.refused.values()) for reason in REASONS]
    numbers = [state.patches.get(kind, 0) for kind in KINDS] + refused
    scale = "" if state.mpp is None else f"{state.mpp:.4g}"
    return (_cell(state.slide), state.status, scale, *map(str, numbers))


def _notes(states: Sequence[SlideState]) -> list[str]:
    lines = [f"* {_cell(state.slide)}: {_cell(note)}" for state in states for note in state.notes]
    return ["## Notes", "", *lines, ""] if lines else []


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
