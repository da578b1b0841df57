"""Normalizing a store: the reference from its training rows, then block by block into a new one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.splits import training_rows
from data_prep.splits.roles import slide_keys
from data_prep.stain.loading import Normalizer
from data_prep.stain.reference import (
    Progress,
    file_reference,
    fit_reference,
    median_of_slides,
    published_reference,
    sample_rows,
    separator,
    slide_stains,
)
from data_prep.stain.stains import Stains
from data_prep.store import Patches, StoreWriter
from data_prep.store.attributes import differing_attributes


@dataclass
class Normalized:
    """What was done: `flags` (n,), True for rows that could not be normalized and stayed as they were; `slides`: the
    stains of each slide, None where they could not be estimated, empty if every patch was fitted by itself."""

    flags: np.ndarray
    slides: dict[str, Stains | None] = field(default_factory=dict)


def reference_rows(rows: pd.DataFrame, split: str = "") -> np.ndarray:
    """Positions of the rows that a reference may be taken from: `training_rows`, or all, with a warning."""
    found = training_rows(rows, split)
    if found is not None:
        return found
    warn("no roles: the stain reference is taken from all rows, test patients included (name --split FILE)")
    return np.arange(len(rows))


def require_raw(patches: Patches) -> None:
    """Raise `InputError` where a file of `patches` was normalized before."""
    if "stain" in patches.attributes or "stain" in differing_attributes(patches.files):
        names = ", ".join(map(str, patches.files))
        raise InputError(f"{names}: its stains were normalized before; normalize the store that it was made from")


def choose_reference(
    method: str, spec: str, patches: Patches, split: str, seed: int, progress: Progress = iter
) -> Normalizer:
    """The normalizer to the reference `spec`; where it is taken from the store, from its `reference_rows` by `split`.

    `spec`: `slide-median`, `published` (Macenko), `patch:N` (a training row), an image, or a stain file. Raises
    `InputError` for a reference that is not there, is no training row, or shows no stain.
    """
    if spec == "published":
        return published_reference(method)
    if not spec.startswith("patch:") and spec != "slide-median":
        return file_reference(method, spec)
    rows = reference_rows(patches.rows, split)
    if spec != "slide-median":
        return fit_reference(method, patches[_training_row(spec, rows, len(patches))], spec)
    samples = [sample_rows(of_slide, seed) for _, of_slide in _by_slide(patches.rows, rows)]
    normalizer = median_of_slides(method, (patches.take(sample) for sample in progress(samples)))
    if normalizer is None:
        raise InputError("every sampled training patch is blank; there is no stain to normalize to")
    return normalizer


def _training_row(spec: str, rows: np.ndarray, count: int) -> int:
    text = spec.removeprefix("patch:")
    if not text.isdecimal() or int(text) >= count:
        raise InputError(f"stain reference {spec}: give patch:N with N from 0 to {count - 1}, a row of the store")
    if int(text) not in rows:
        raise InputError(f"stain reference {spec}: this row does not have the role train; choose one that has")
    return int(text)


def _by_slide(rows: pd.DataFrame, chosen: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(slide, positions) for each slide of the rows `chosen`; patches of unknown slides are one together, ""."""
    keys = slide_keys(rows).to_numpy(str)[chosen]
    for key in np.unique(keys):
        yield str(key), chosen[keys == key]


def fit_slides(method: str, patches: Patches, seed: int, progress: Progress = iter) -> dict[str, Stains | None]:
    """The stains of each slide, by a sample of its patches; rows without a slide have none."""
    separating, slides = separator(method), dict(_by_slide(patches.rows, np.arange(len(patches))))
    slides.pop("", None)
    return {key: slide_stains(separating, patches.take(sample_rows(slides[key], seed))) for key in progress(slides)}


def normalize_store(
    patches: Patches,
    concepts: pd.DataFrame,
    normalizer: Normalizer,
    out: Path,
    slides: dict[str, Stains | None] | None = None,
    progress: Progress = iter,
) -> Normalized:
    """Write `patches` with their stains normalized, and `concepts`, to the flat store `out`.

    `slides`: the stains of each slide (`fit_slides`); a patch of a slide that is not there, or has none, is fitted by
    itself, as all are without. Rows, masks and the way back to an original layout stay; what goes back are the
    normalized pixels. The store carries the normalizer as its attribute `stain`.
    """
    result = Normalized(np.zeros(len(patches), dtype=bool), dict(slides or {}))
    units, masked = concepts.attrs["units"], patches.mask_shape
    attributes = {**patches.attributes, "stain": json.dumps(described(normalizer, result.slides))}
    keys = slide_keys(patches.rows).to_numpy(str)
    with StoreWriter(out, patches.size, units, masked, patches.origin, attributes) as writer:
        for start in progress(range(0, len(patches), patches.block)):
            stop = min(start + patches.block, len(patches))
            span, images = slice(start, stop), patches.read(start, stop)
            result.flags[span] = _normalize(images, normalizer, keys[span], result.slides)
            masks = patches.read_masks(start, stop) if masked else None
            writer.append(images, patches.rows.iloc[span], concepts.iloc[span], masks)
    return result


def _normalize(
    images: np.ndarray, normalizer: Normalizer, keys: np.ndarray, slides: dict[str, Stains | None]
) -> np.ndarray:
    """Normalize `images` (n, h, w, 3) of the slides `keys` (n,) in place; the flags (n,)."""
    flags = np.zeros(len(images), dtype=bool)
    for key in np.unique(keys):
        where, stains = np.flatnonzero(keys == key), slides.get(str(key))
        source: dict[str, Any] = {} if stains is None else {"source": stains}
        images[where], flags[where] = normalizer.transform(images[where], return_flags=True, **source)
    return flags


def described(normalizer: Normalizer, slides: dict[str, Stains | None]) -> dict[str, Any]:
    """The normalizer as JSON types, and how the patches were fitted: what a store and its stain file say."""
    if not slides:
        return {**normalizer.fields(), "fit": "patch"}
    found = {key: stains.fields() for key, stains in slides.items() if stains is not None}
    return {**normalizer.fields(), "fit": "slide", "slides": found}
