"""What a store is normalized to: one of its patches, a file, or the median over its slides."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.stain.lab import statistics
from data_prep.stain.loading import METHODS, Normalizer, load_normalizer, make_normalizer
from data_prep.stain.macenko import Macenko
from data_prep.stain.reinhard import Reinhard, unusable
from data_prep.stain.stains import Stains
from data_prep.stain.transfer import StainTransfer
from data_prep.stain.vahadane import Vahadane
from data_prep.store.images import read_image
from data_prep.tissue import is_void

SAMPLE = 32
"""Patches of a slide that its stains are taken from."""
Progress = Callable[[Iterable[Any]], Iterable[Any]]


def fit_reference(method: str, patch: np.ndarray, name: str) -> Normalizer:
    """A normalizer to one RGB `uint8` patch (h, w, 3); `InputError` that calls it `name` where it has no stain."""
    try:
        return make_normalizer(method).fit(patch)
    except InputError as error:
        raise InputError(f"stain reference {name}: {error}") from error


def file_reference(method: str, path: str | Path) -> Normalizer:
    """A normalizer to an image file, or the one in a stain file (.json), which must be of `method` unless that is "".

    Raises `InputError` for a file that is neither, and for an image without stain.
    """
    if Path(path).suffix.lower() != ".json":
        return fit_reference(method, read_image(Path(path))[0], str(path))
    normalizer = load_normalizer(path)
    if method and normalizer.method != method:
        raise InputError(f"{path}: is a reference for {normalizer.method}, not for {method}; name another")
    return normalizer


def published_reference(method: str) -> Normalizer:
    """The reference that was published with `method`; `InputError` where there is none."""
    if method != "macenko":
        raise InputError(f"there is no published reference for {method}; use slide-median, a patch or a file")
    return make_normalizer(method)


def median_reference(method: str, images: np.ndarray) -> Normalizer | None:
    """A normalizer to the median of the statistics of patches (n, h, w, 3); None where none of them shows stain."""
    if method == "reinhard":
        means, stds = statistics(images)
        usable = np.array([not unusable(deviations) for deviations in stds], dtype=bool)
        if not usable.any():
            return None
        return Reinhard.from_statistics(np.median(means[usable], axis=0), np.median(stds[usable], axis=0))
    kind = separator(method)
    found = [stains for stains in map(kind.estimate, images) if stains is not None]
    return kind.from_stains(Stains.median(found)) if found else None


def median_of_slides(method: str, slides: Iterable[np.ndarray]) -> Normalizer | None:
    """The median of the references of `slides`, each (n, h, w, 3): every slide counts alike, whatever its size."""
    found: list[Any] = [one for one in (median_reference(method, images) for images in slides) if one is not None]
    if not found:
        return None
    if method == "reinhard":
        means, stds = (np.median([getattr(one, name) for one in found], axis=0) for name in ("means", "stds"))
        return Reinhard.from_statistics(means, stds)
    return type(found[0]).from_stains(Stains.median([one.target() for one in found]))


def separator(method: str) -> Macenko | Vahadane:
    """A normalizer of `method` that separates stains; `InputError` where it does not."""
    kind = METHODS[method]()
    if not isinstance(kind, Reinhard):
        return kind
    raise InputError(f"{method} does not separate stains, so that there are none to fit by slide; use --fit patch")


def slide_stains(separating: StainTransfer, images: np.ndarray) -> Stains | None:
    """The stains of a slide from some of its patches (n, h, w, 3), without those that have none or are marked.

    What a scanner left black counts as glass: taken for the darkest stain, a hundredth of it makes the slide pale.
    """
    seen = np.where(is_void(images)[..., None], np.uint8(255), images)
    sound = np.array([separating.estimate(image) is not None for image in seen], dtype=bool)
    return separating.estimate(seen[sound])


def sample_rows(rows: np.ndarray, seed: int) -> np.ndarray:
    """Up to `SAMPLE` of `rows` (n,), ascending."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:SAMPLE])
