"""Fit how rows become targets, on the training rows alone."""

import dataclasses
import re
from typing import Any

import numpy as np

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.store import STANDARDIZED
from mta.config import TrainConfig
from mta.data.dataset import Coding, Dataset
from mta.data.scale import Scale, fit_scales
from mta.spec import check_concepts

# The released code knows these seven domains whatever is in the data: Camelyon17 centres, Camelyon16, PanNuke.
ORIGINAL_CENTRES = tuple("0123456")


def fit_coding(data: Dataset, config: TrainConfig) -> Coding:
    """Concept scales and domain classes for `config` from the rows whose role is train.

    Profile `original` has its fixed seven domains and concepts z-scored over all rows: its own files come so, other
    tables are brought there.
    """
    training = data.of("train")
    centres = _centres(data, training, config) if config.adversary == "centre" else ()
    if config.profile == "original":
        _require_original_centres(data, centres)
        return Coding(_original_scales(data, config.concepts), ORIGINAL_CENTRES if centres else ())
    return Coding(fit_scales(data.concepts, training, config.concepts), centres)


def _original_scales(data: Dataset, names: tuple[str, ...]) -> dict[str, Scale]:
    units = data.concepts.attrs.get("units", {})
    scales = fit_scales(data.concepts, np.arange(len(data.rows)), names)
    ready = {name: Scale(0.0, 1.0, STANDARDIZED) for name in names if units.get(name) == STANDARDIZED}
    return scales | ready


def _require_original_centres(data: Dataset, centres: tuple[str, ...]) -> None:
    if strange := [centre for centre in centres if centre not in ORIGINAL_CENTRES]:
        raise InputError(
            f"{data.name}: profile original knows the centres {', '.join(ORIGINAL_CENTRES)}, not {strange[0]!r}; take "
            "--profile paper, or --adversary none"
        )


def _centres(data: Dataset, training: np.ndarray, config: TrainConfig) -> tuple[str, ...]:
    named = data.rows["centre"].to_numpy(str)[training]
    unnamed = int((named == "").sum())
    if unnamed and config.missing_centre == "refuse":
        raise InputError(
            f"{data.name}: {unnamed} of {len(named)} training rows have no centre, which the adversary needs; fill it "
            "in, or say --missing-centre mask, or --adversary none"
        )
    if unnamed:
        warn(f"{unnamed} of {len(named)} training rows have no centre and stay out of the domain loss")
    centres = sorted(set(map(str, named)) - {""}, key=_natural)
    if len(centres) < 2:
        raise InputError(
            f"{data.name}: the training rows come from {len(centres)} centre; an adversary needs two or more "
            "(--adversary none trains without)"
        )
    return tuple(centres)


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort key that puts centre 10 behind centre 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def coding_to_json(coding: Coding) -> dict[str, Any]:
    """What `labels.json` of a run holds."""
    return {
        "concepts": {name: dataclasses.asdict(scale) for name, scale in coding.scales.items()},
        "centres": list(coding.centres),
    }


def coding_from_json(value: dict[str, Any]) -> Coding:
    """The coding that `coding_to_json` wrote; InputError when it is something else."""
    try:
        scales = {name: Scale(**scale) for name, scale in value["concepts"].items()}
        check_concepts(tuple(scales))
        return Coding(scales, tuple(map(str, value["centres"])))
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"labels.json is damaged ({error!r}); train again") from error
