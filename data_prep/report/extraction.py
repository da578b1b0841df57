"""What the extraction left beside its patches: slides without any, and patches refused."""

import json
from dataclasses import dataclass
from pathlib import Path

from data_prep.errors import InputError
from data_prep.store.attributes import read_attribute

_MOST_BYTES = 8 << 20


@dataclass(frozen=True)
class Extracted:
    """`slides`: how many were cut; `rejected`: (slide, status, reason); `refused`: (slide, counts by reason...)."""

    slides: int
    rejected: list[tuple[str, str, str]]
    heads: list[str]
    refused: list[list[str]]


def read_extraction(store: Path) -> Extracted | None:
    """What is known of the extraction of `store`: its attribute, and `STORE.summary.md` beside it; None if nothing."""
    slides = _recorded(store)
    reasons, heads, refused = _summary(store.with_suffix(".summary.md"))
    if not slides and not refused:
        return None
    status = {name: state for name, state in slides if state != "done"} | {name: "" for name in reasons}
    states = dict(slides)
    rejected = [(name, states.get(name, "failed"), reasons.get(name, "")) for name in status]
    return Extracted(len(slides) or len(refused), rejected, heads, refused)


def _recorded(store: Path) -> list[tuple[str, str]]:
    try:
        slides = json.loads(read_attribute(store, "extraction") or "{}")["slides"]
        return [(str(slide["slide"]), str(slide["status"])) for slide in slides]
    except (InputError, KeyError, TypeError, ValueError):  # other layouts, and stores that were not extracted
        return []


def _summary(path: Path) -> tuple[dict[str, str], list[str], list[list[str]]]:
    """Reasons by slide, and head and lines of the table of slides."""
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return {}, [], []
    reasons: dict[str, str] = {}
    lines: list[list[str]] = []
    title = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif line.startswith("* ") and title.startswith(("Failed", "Without")):
            name, _, reason = line[2:].partition(": ")
            reasons[name] = reason
        elif line.startswith("| ") and title == "Slides":
            lines.append([cell.strip() for cell in line.strip("|").replace("\\|", "¦").split("|")])
    return reasons, lines[0] if lines else [], lines[2:]
