"""From images or any layout into the flat store, and back into the original's layout."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.images import Fit, fitter, read_image
from data_prep.store.part import block_length
from data_prep.store.patches import Patches
from data_prep.store.table import ImageTable
from data_prep.store.writer import StoreWriter

# Wraps the iteration over the starts of blocks, for a progress bar.
Progress = Callable[[Iterable[int]], Iterable[int]]


def store_table(
    table: ImageTable, out: Path, size: int | None = None, fit: Fit = "crop", progress: Progress = iter
) -> Counter[str]:
    """Write the images of `table` as a flat store; returns how many images needed which change (`read_image`).

    `size`: side of the patches in pixels; None keeps the images as they are, which must then be of one size.
    Resizing scales `mpp`. Raises `InputError` for an unreadable image, or one too small or of another size.
    """
    change, notes = fitter(size, fit), Counter[str]()
    first, _, _ = _patch(table.paths[0], change)
    units, shape = table.concepts.attrs["units"], (first.shape[0], first.shape[1])
    block = block_length(shape)
    with StoreWriter(out, shape, units) as writer, ThreadPoolExecutor() as pool:
        for start in progress(range(0, len(table.paths), block)):
            span = slice(start, start + block)
            results = list(pool.map(lambda path: _patch(path, change), table.paths[span]))
            _check_sizes(table.paths[span], [patch for patch, _, _ in results], shape)
            rows = table.rows.iloc[span].copy()
            rows["mpp"] *= [scale for _, scale, _ in results]
            writer.append(np.stack([patch for patch, _, _ in results]), rows, table.concepts.iloc[span])
            notes.update(note for _, _, found in results for note in found)
    return notes


def _patch(
    path: Path, change: Callable[[np.ndarray], tuple[np.ndarray, float]]
) -> tuple[np.ndarray, float, frozenset[str]]:
    image, notes = read_image(path)
    try:
        patch, scale = change(image)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    return patch, scale, notes


def _check_sizes(paths: list[Path], patches: list[np.ndarray], shape: tuple[int, int]) -> None:
    for path, patch in zip(paths, patches, strict=True):
        if patch.shape[:2] != shape:
            sizes = "{}x{} pixels, the first image has {}x{}".format(*patch.shape[:2], *shape)
            raise InputError(f"{path}: {sizes}; give --size to bring all to one")


def store_patches(patches: Patches, concepts: pd.DataFrame, out: Path, progress: Progress = iter) -> None:
    """Write `patches` with `concepts` (aligned, `attrs["units"]`) as a flat store that can be turned back."""
    units = concepts.attrs["units"]
    shape, attributes = patches.mask_shape, patches.attributes
    with StoreWriter(out, patches.size, units, shape, patches.origin, attributes) as writer:
        for start in progress(range(0, len(patches), patches.block)):
            span = slice(start, start + patches.block)
            masks = patches.read_masks(start, start + patches.block) if patches.mask_shape else None
            writer.append(
                patches.read(start, start + patches.block), patches.rows.iloc[span], concepts.iloc[span], masks
            )
