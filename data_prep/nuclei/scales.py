"""Micrometres a level-0 pixel of slides, as tables and stores know them."""

import csv
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from data_prep.errors import InputError

_COARSEST = 100


@lru_cache(maxsize=4)
def listed_scales(path: Path) -> dict[str, float]:
    """mpp by slide from the table (`slide,mpp`) at `path`; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            listed = {line["slide"]: float(line["mpp"]) for line in csv.DictReader(file)}
    except (KeyError, ValueError, TypeError, OSError, csv.Error) as error:
        raise InputError(f"{path}: not a table of slide,mpp ({error}); give one line a slide") from error
    if wrong := [slide for slide, mpp in listed.items() if not 0 < mpp < _COARSEST]:
        raise InputError(f"{path}: the mpp of {wrong[0]} is {listed[wrong[0]]}; give micrometres a pixel")
    return listed


def recorded_scales(extraction: str) -> dict[str, float]:
    """mpp of level 0 by slide from the JSON text `extraction` of a store; without those it does not know."""
    try:
        slides: Any = json.loads(extraction)["slides"]
        found = {str(slide["slide"]): slide["level0_mpp"] for slide in slides}
    except (ValueError, KeyError, TypeError):  # patches that were not cut by `extract`
        return {}
    return {slide: mpp for slide, mpp in found.items() if isinstance(mpp, float | int) and 0 < mpp < _COARSEST}
