"""The stain reference of a run: fitted on training patches, saved with the run."""

from pathlib import Path

import numpy as np

from data_prep.errors import InputError
from data_prep.stain import Reinhard, statistics
from data_prep.stain.reinhard import unusable
from data_prep.store.images import read_image
from mta.data.dataset import Dataset

SAMPLE = 512  # training patches that the median reference is taken over


def fit_normalizer(data: Dataset, kind: str, reference: str, seed: int) -> Reinhard | None:
    """The normalizer of a run, or None for `kind` "none".

    `reference`: "median" of the statistics of up to 512 training patches, "first" training row (as the original),
    "row:N" of the store, an image file, or a saved JSON.

    Raises:
        InputError: for a reference that is not there, or a patch without any stain.
    """
    if kind == "none":
        return None
    if reference == "median":
        return _median(data, seed)
    if Path(reference).suffix == ".json":
        return Reinhard.load(reference)
    return _fit(_reference_patch(data, reference), reference)


def _fit(patch: np.ndarray, reference: str) -> Reinhard:
    try:
        return Reinhard().fit(patch)
    except InputError as error:
        raise InputError(f"stain reference {reference}: {error}") from error


def _median(data: Dataset, seed: int) -> Reinhard:
    rows = data.of("train")
    chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:SAMPLE])
    means, stds = statistics(data.patches.take(chosen))
    usable = np.array([not unusable(deviations) for deviations in stds], dtype=bool)
    if not usable.any():
        raise InputError(f"{data.name}: every sampled training patch is blank; there is no stain to normalize to")
    return Reinhard.from_statistics(np.median(means[usable], axis=0), np.median(stds[usable], axis=0))


def _reference_patch(data: Dataset, reference: str) -> np.ndarray:
    if reference == "first":
        return data.patches[int(data.of("train")[0])]
    if reference.startswith("row:"):
        return data.patches[_row(reference, len(data.patches))]
    try:
        return read_image(Path(reference))[0]
    except InputError as error:
        raise InputError(
            f"stain reference {reference}: neither a readable image, nor median, first or row:N"
        ) from error


def _row(reference: str, rows: int) -> int:
    number = reference.removeprefix("row:")
    if not number.isdigit() or int(number) >= rows:
        raise InputError(f"stain reference {reference}: give row:N with N from 0 to {rows - 1}")
    return int(number)
