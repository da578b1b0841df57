"""What a store says of its extraction: slides without a patch, and places refused."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.store import read_attribute


@dataclass(frozen=True)
class Extracted:
    """`slides`: how many were cut; `rejected`: (slide, status, reason); `refused`: (slide, counts by reason...)."""

    slides: int
    rejected: list[tuple[str, str, str]]
    heads: list[str]
    refused: list[list[str]]


def read_extraction(store: Path) -> Extracted | None:
    """What the attribute `extraction` of `store`, or of the store it was made of, says; None where there is none."""
    try:
        slides = json.loads(read_attribute(store, "extraction") or "{}")["slides"]
        return _extracted(slides) if slides else None
    except (InputError, KeyError, TypeError, ValueError, AttributeError):  # other layouts, and what was not extracted
        return None


def _extracted(slides: list[Mapping[str, Any]]) -> Extracted:
    rejected = [(str(s["slide"]), str(s["status"]), str(s["reason"])) for s in slides if s["status"] != "done"]
    kinds = _names(slide["patches"] for slide in slides)
    reasons = _names(counts for slide in slides for counts in slide["refused"].values())
    heads = ["slide", "status", "um/px", *kinds, *(f"refused {reason}" for reason in reasons)]
    return Extracted(len(slides), rejected, heads, [_line(slide, kinds, reasons) for slide in slides])


def _names(counts: Iterable[Mapping[str, int]]) -> list[str]:
    return list(dict.fromkeys(name for each in counts for name in each))


def _line(slide: Mapping[str, Any], kinds: list[str], reasons: list[str]) -> list[str]:
    numbers = [slide["patches"].get(kind, 0) for kind in kinds]
    numbers += [sum(counts.get(reason, 0) for counts in slide["refused"].values()) for reason in reasons]
    scale = "" if slide["level0_mpp"] is None else f"{slide['level0_mpp']:.4g}"
    return [str(slide["slide"]), str(slide["status"]), scale, *map(str, numbers)]
