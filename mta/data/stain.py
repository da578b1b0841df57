"""The stain reference of a run: fitted on training patches, or that of a normalized store; saved with the run."""

from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.stain import Normalizer, parse_normalizer
from data_prep.stain.reference import file_reference, fit_reference, median_reference, published_reference
from data_prep.store.attributes import differing_attributes
from data_prep.store.images import read_image
from mta.data.dataset import Dataset

SAMPLE = 512  # training patches that the median reference is taken over


def fit_normalizer(data: Dataset, kind: str, reference: str, seed: int) -> Normalizer | None:
    """The normalizer of a run, or None for `kind` "none".

    `kind`: a method, or "auto": the one that made the store if it is a normalized one, else Reinhard.
    `reference`: "median" of the statistics of up to 512 training patches, "first" training row (as the original),
    "row:N" of the store, "published" (Macenko), an image file, or a saved JSON.

    Raises:
        InputError: for a reference that is not there, a patch without any stain, and a normalized store that is to be
            normalized otherwise.
    """
    if (made := made_by(data.patches)) is not None:
        return _taken_over(data, made, kind, reference)
    if kind == "none":
        return None
    method = "reinhard" if kind == "auto" else kind
    if reference == "median":
        return _median(data, method, seed)
    if reference == "published":
        return published_reference(method)
    if Path(reference).suffix == ".json":
        return file_reference("" if kind == "auto" else kind, reference)
    return fit_reference(method, _reference_patch(data, reference), reference)


def made_by(patches: Any) -> Normalizer | None:
    """The normalizer that made the pixels of a store, which says so itself; None where they are as they were scanned.

    Raises:
        InputError: where some of several files were normalized, or each in another way.
    """
    names = ", ".join(map(str, patches.files))
    if len(patches.files) > 1 and "stain" in differing_attributes(patches.files):
        raise InputError(f"{names}: not all were normalized to one stain reference; normalize them together")
    text = patches.attributes.get("stain")
    return None if text is None else parse_normalizer(text, f"{names}: attribute stain")


def still_needed(patches: Any, normalizer: Normalizer | None) -> Normalizer | None:
    """What of a run's `normalizer` is still to be done to `patches`: nothing where it made their pixels.

    Raises:
        InputError: where they were normalized in another way.
    """
    if (made := made_by(patches)) is None:
        return normalizer
    if normalizer is None or made.fields() != normalizer.fields():
        raise InputError(
            f"{', '.join(map(str, patches.files))}: was normalized ({made.method}) to another stain reference than the "
            "run's; give the store that it was made from, or normalize that with --reference RUN/stain.json"
        )
    return None


def _taken_over(data: Dataset, made: Normalizer, kind: str, reference: str) -> Normalizer:
    if kind not in ("auto", made.method) or reference != "median":
        raise InputError(
            f"{data.name}: its stains were normalized already ({made.method}); leave out --stain and "
            "--stain-reference, or train on the store that it was made from"
        )
    return made


def _median(data: Dataset, method: str, seed: int) -> Normalizer:
    rows = data.of("train")
    chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:SAMPLE])
    normalizer = median_reference(method, data.patches.take(chosen))
    if normalizer is None:
        raise InputError(f"{data.name}: every sampled training patch is blank; there is no stain to normalize to")
    return normalizer


def _reference_patch(data: Dataset, reference: str) -> np.ndarray:
    if reference == "first":
        return data.patches[int(data.of("train")[0])]
    if reference.startswith("row:"):
        return data.patches[_row(reference, len(data.patches))]
    try:
        return read_image(Path(reference))[0]
    except InputError as error:
        raise InputError(
            f"stain reference {reference}: neither a readable image, nor median, published, first or row:N"
        ) from error


def _row(reference: str, rows: int) -> int:
    number = reference.removeprefix("row:")
    if not number.isdigit() or int(number) >= rows:
        raise InputError(f"stain reference {reference}: give row:N with N from 0 to {rows - 1}")
    return int(number)
