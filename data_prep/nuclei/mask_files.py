"""Nuclei that another program has found, from label images or from the masks of a store."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.labels import merge_classes, renumber, split_parts
from data_prep.nuclei.paths import describe, find_file, require_folder
from data_prep.store.concept_file import require_unique
from data_prep.store.opening import open_patches
from data_prep.store.part import NotWholeError, whole_levels
from data_prep.store.patches import Patches
from data_prep.store.rows import KEY

ENDINGS = (".png", ".tif", ".tiff", ".npy")
PANNUKE_CHANNELS = 6


@dataclass(frozen=True)
class MaskFolder:
    """A folder with one label image a patch (`find_file` says which): PNG or TIFF of whole numbers, or `.npy`.

    Shape (h, w) as the patch, or PanNuke's (h, w, 6) as `.npy`. An image with one value besides 0 is a plain mask,
    whose nuclei are its connected parts.
    """

    folder: Path
    _owners: dict[Path, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        require_folder(self.folder, "a label image for each patch")

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """Labels (n, h, w) `int32`; `InputError` where a patch has no label image, or one that does not fit."""
        return np.stack([self._labels(row, images.shape[1:3]) for row in rows.itertuples()])

    def _labels(self, row: Any, shape: tuple[int, int]) -> np.ndarray:
        path = find_file(self.folder, row, ENDINGS)
        if path is None:
            names = f"<entry>_{row.patch_no} or the entry's name, ending in {', '.join(ENDINGS)}"
            raise InputError(f"{self.folder}: no label image for the patch {describe(row)}; name it {names}")
        if self._owners.setdefault(path, describe(row)) != describe(row):
            both = f"{self._owners[path]} and {describe(row)}"
            raise InputError(f"{path}: fits the patches {both}; put label images in folders as the images are")
        labels = as_labels(read_labels(path, shape))
        return split_parts(labels) if labels.max(initial=0) == 1 else labels


def read_labels(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """The whole numbers in the label image `path`, (h, w) or (h, w, 6), of a patch of `shape` (h, w); not pickled."""
    try:
        values = _open_array(path, shape) if path.suffix.lower() == ".npy" else _open_image(path, shape)
        return whole_levels(values, np.dtype(np.uint32))
    except NotWholeError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise InputError(f"{path}: not a label image that can be read ({error}); save it again") from error


def _open_array(path: Path, shape: tuple[int, int]) -> np.ndarray:
    # Not `np.load`, which would also take an archive of arrays under this name.
    values = np.lib.format.open_memmap(path, mode="r")
    _require_shape(path, values.shape, shape)
    return np.array(values)


def _open_image(path: Path, shape: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            colors = len(image.getbands())
            _require_shape(path, (image.height, image.width, colors)[: 2 + (colors > 1)], shape)
            return np.asarray(image)
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: far larger than the patch; save the label image of the patch") from error


def _require_shape(path: Path, found: tuple[int, ...], shape: tuple[int, int]) -> None:
    if len(found) > 1 and found[:2] != shape:
        size, wanted = (" x ".join(map(str, pair)) for pair in (found[:2], shape))
        remedy = (
            "a mask is for one patch, not for a slide: cut it into patches, or give outlines of the slide as geojson:"
        )
        raise InputError(f"{path}: a label image of {size} for a patch of {wanted} pixels; {remedy}DIR")
    if found not in (shape, (*shape, PANNUKE_CHANNELS)):
        raise InputError(f"{path}: a label image of shape {found}, but the patch has {shape}; save one number a pixel")


def as_labels(values: np.ndarray) -> np.ndarray:
    """Whole numbers (h, w), or PanNuke's (h, w, 6), as `int32` labels (h, w) without gaps."""
    return merge_classes(values) if values.ndim == 3 else renumber(values)


@dataclass(frozen=True)
class StoredMasks:
    """The masks of a patch store, (h, w) or PanNuke's (h, w, 6), for the patches of equal source, entry and number."""

    path: Path

    def __post_init__(self) -> None:
        with open_patches(self.path) as patches:
            if not patches.mask_shape:
                raise InputError(f"{self.path}: the store has no masks; segment its nuclei first")

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """Labels (n, h, w) `int32`; `InputError` where a patch is not in the store, or of another size."""
        patches, keys = _indexed(self.path, self.path.stat().st_mtime_ns if self.path.is_file() else 0)
        places = keys.get_indexer(pd.MultiIndex.from_frame(rows[KEY]))
        if (places < 0).any():
            row = next(rows[places < 0].itertuples())
            raise InputError(f"{self.path}: has no patch {describe(row)}; name the store that the patches come from")
        if patches.size != images.shape[1:3]:
            raise InputError(f"{self.path}: masks of {patches.size} pixels for patches of {images.shape[1:3]}")
        with patches:
            return np.stack([as_labels(mask) for mask in patches.take_masks(places)])


@lru_cache(maxsize=1)
def _indexed(path: Path, modified: int) -> tuple[Patches, pd.MultiIndex]:
    """The store `path`, as it was `modified`, and what its rows are called: its table is read once, not for a batch."""
    patches = open_patches(path)
    keys = pd.MultiIndex.from_frame(patches.rows[KEY])
    require_unique(str(path), keys)
    return patches, keys
