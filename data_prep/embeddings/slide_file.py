"""What an HDF5 file of one slide's embeddings says, as TRIDENT and CLAM write them.

Both have `features` (n, d) and `coords` (n, 2), the top-left corners in level-0 pixels. TRIDENT says beside `coords`
how large a patch is (`patch_size_level0`) and how large the slide, beside `features` which encoder made them; CLAM's
feature files say nothing, its files of coordinates `patch_size` at a level of some `downsample`. Some tools write a
leading axis of 1.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from data_prep.errors import InputError
from data_prep.store.guard import own_dataset
from data_prep.store.handle import open_hdf5, reading

FEATURES, COORDS = "features", "coords"
_WIDEST = 2**16
_FARTHEST = 2**31 - 1


@dataclass(frozen=True)
class SlideFile:
    """The facts of one file.

    `width`: numbers of an embedding. `corners`: (n, 2) int32 as (x, y), level-0 pixels. `side`: edge of a patch in
    level-0 pixels, None where the file does not say. `size`: (width, height) of level 0, None likewise. `encoder`: its
    name, or "".
    """

    path: Path
    width: int
    corners: np.ndarray
    side: float | None
    size: tuple[int, int] | None
    encoder: str


def has_embeddings(path: Path) -> bool:
    """Whether `path` is an HDF5 file with `features` at its top."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        # The link alone: what it points to is looked at, and judged, on opening.
        return file.id.links.exists(FEATURES.encode())


def read_slide_file(path: Path) -> SlideFile:
    """The facts of the file `path`; its features are not read.

    Raises `InputError` where it is missing, damaged or points elsewhere, where `features` or `coords` are absent, are
    no numbers, have other shapes than above, or are not of one length.
    """
    with reading(path) as file:
        features, coords = (_numbers(file, name) for name in (FEATURES, COORDS))
        count, width = _shape(path, features)
        if _shape(path, coords) != (count, 2):
            raise InputError(f"{path}: {count} features but coords {coords.shape}; they must be (n, 2) for the same n")
        if not count or not 0 < width <= _WIDEST:
            raise InputError(f"{path}: features {features.shape}: no patch, or no numbers; embed the slide again")
        facts = dict(coords.attrs)
        size = [_number(facts, f"level0_{name}") for name in ("width", "height")]
        return SlideFile(
            path,
            width,
            _corners(path, coords),
            _side(facts),
            (int(size[0]), int(size[1])) if size[0] and size[1] else None,
            _name(features.attrs.get("encoder")),
        )


def _numbers(file: h5py.File, name: str) -> h5py.Dataset:
    dataset = own_dataset(file, name)
    if dataset is None:
        raise InputError(
            f"{file.filename}: has no dataset {name}; give files of features as TRIDENT or CLAM write them"
        )
    if dataset.dtype.kind not in ("f" if name == FEATURES else "fiu"):
        raise InputError(f"{file.filename}: {name} are {dataset.dtype}, not numbers that can be read; write float32")
    return dataset


def _shape(path: Path, dataset: h5py.Dataset) -> tuple[int, int]:
    """(n, width) of a dataset, without its leading axis of 1."""
    shape = dataset.shape[1:] if dataset.ndim == 3 and dataset.shape[0] == 1 else dataset.shape
    if len(shape) != 2:
        raise InputError(f"{path}: {dataset.name[1:]} have the shape {dataset.shape}; expected (n, d) or (1, n, d)")
    return int(shape[0]), int(shape[1])


def _corners(path: Path, coords: h5py.Dataset) -> np.ndarray:
    values = coords[()].reshape(-1, 2)
    if not (np.isfinite(values).all() and (np.abs(values) <= _FARTHEST).all()):
        raise InputError(f"{path}: coords are no positions on a slide; write level-0 pixels")
    return np.round(values).astype(np.int32)


def _side(facts: dict[str, Any]) -> float | None:
    if side := _number(facts, "patch_size_level0"):
        return side
    size, downsample = _number(facts, "patch_size"), _number(facts, "downsample")
    return size * downsample * (_number(facts, "custom_downsample") or 1.0) if size and downsample else None


def _number(facts: dict[str, Any], name: str) -> float | None:
    """The attribute `name` as a number above 0 (CLAM has one for x and one for y), None where it is none."""
    try:
        values = np.asarray(facts.get(name), dtype=float).ravel()
    except (TypeError, ValueError):
        return None
    value = float(values.sum()) / max(1, len(values))
    return value if np.isfinite(value) and value > 0 else None


def _name(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    # TRIDENT writes "None" for what it does not know.
    return text if isinstance(text, str) and text != "None" else ""
