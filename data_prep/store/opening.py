"""From a path, or several under names, to one set of patches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.attributes import shared_attributes, store_attributes
from data_prep.store.flat import flat_origin, flat_rows, flat_sums, is_flat
from data_prep.store.flat_check import require_sound
from data_prep.store.handle import LazyFile, reading
from data_prep.store.hierarchy import origin_of, rows_of, scan
from data_prep.store.part import Part
from data_prep.store.patches import Patches
from data_prep.store.rows import join_rows

Channels = Literal["rgb", "stored"]
ChannelOrder = Literal["auto", "rgb", "bgr"]


@dataclass(frozen=True)
class _Opened:
    """What one file contributes: parts counted from 0, rows, origin, whether the pixels on disk are BGR."""

    path: Path
    parts: list[Part]
    sizes: list[tuple[int, int]]
    mask_shapes: set[tuple[int, ...]]
    rows: pd.DataFrame
    origin: pd.DataFrame
    disk_bgr: np.ndarray
    attributes: dict[str, str] = field(default_factory=dict)


def open_patches(spec: str | Path, channels: Channels = "rgb", channel_order: ChannelOrder = "auto") -> Patches:
    """Open a patch store in any layout (`docs/formats.md`), or several files under names.

    `spec`: a path, or `name=path,name=path`; the names become `rows["source"]`, else the file stem does (the
    demo layout and flat stores carry their own sources). `channels`: "rgb", or "stored" for the channels as the
    original file held them, BGR for Camelyon. `channel_order`: how the original layouts hold their pixels;
    "auto" is BGR for Camelyon and RGB for PanNuke. Returns RGB uint8 patches of one size.

    Raises `InputError` for a missing, truncated, foreign or damaged file, for no patches and for mixed sizes.
    """
    opened = [_open(path, name, channel_order) for name, path in parse_spec(spec)]
    rows = join_rows([item.rows for item in opened])
    origin = pd.concat([item.origin for item in opened], ignore_index=True)
    disk_bgr = np.concatenate([item.disk_bgr for item in opened])
    wanted = rows["stored_bgr"].to_numpy() if channels == "stored" else np.zeros(len(rows), bool)
    attributes = shared_attributes(item.attributes for item in opened)
    return Patches(
        _chain(opened), rows, origin, _one_size(opened), _one_mask_shape(opened), disk_bgr != wanted, attributes
    )


def parse_spec(spec: str | Path) -> list[tuple[str, Path]]:
    """(name, path) of each file in `spec`; the name is the file stem where none is given."""
    if isinstance(spec, Path) or Path(spec).exists():
        return [(Path(spec).stem, Path(spec))]
    pairs = [_pair(item.strip()) for item in spec.split(",") if item.strip()]
    names = [name for name, _ in pairs]
    if not pairs or len(set(names)) < len(names):
        raise InputError(f"{spec!r}: give one path, or several as name=path,name=path with different names")
    return pairs


def require_apart(outputs: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Raise `InputError` where `outputs` have a file twice, or one of `inputs` (as in `open_patches`, or "")."""
    outputs = list(outputs)
    places = [path.resolve() for path in outputs]
    if twice := [path for number, path in enumerate(outputs) if places[number] in places[:number]]:
        raise InputError(f"{twice[0]}: would be written twice; give each file a name of its own")
    read = {path.resolve() for spec in inputs if spec for _, path in parse_spec(spec)}
    if common := [path for path in outputs if path.resolve() in read]:
        raise InputError(f"{common[0]}: is read here and would be replaced; choose another name")


def _pair(item: str) -> tuple[str, Path]:
    name, separator, path = item.partition("=")
    return (name.strip(), Path(path.strip())) if separator else (Path(item).stem, Path(item))


def _open(path: Path, name: str, order: ChannelOrder) -> _Opened:
    with reading(path) as file:
        return _open_flat(path, file) if is_flat(file) else _open_original(path, file, name, order)


def _open_flat(path: Path, file: h5py.File) -> _Opened:
    require_sound(file)
    shape, masks = file["patches"].shape, file.get("masks")
    part = Part(LazyFile(path), "patches", 0, shape[0], None if masks is None else "masks", flat_sums(file))
    mask_shapes = set() if masks is None else {tuple(masks.shape[1:])}
    return _Opened(
        path,
        [part],
        [shape[1:3]],
        mask_shapes,
        flat_rows(file),
        flat_origin(file),
        np.zeros(shape[0], dtype=bool),
        store_attributes(file),
    )


def _open_original(path: Path, file: h5py.File, name: str, order: ChannelOrder) -> _Opened:
    result = scan(file)
    if result.problems:
        raise InputError(f"{path}: {result.problems[0][1]}; `python -m data_prep verify` lists everything to redo")
    if not sum(item.count for item in result.found):
        raise InputError(f"{path}: no patches in a known layout (docs/formats.md); convert images with a table")
    rows = rows_of(result.found, name, None if order == "auto" else order == "bgr")
    handle = LazyFile(path)
    firsts = np.cumsum([0] + [item.count for item in result.found])
    return _Opened(
        path,
        [
            Part(handle, item.dataset, int(first), item.count, item.masks)
            for item, first in zip(result.found, firsts, strict=False)
        ],
        [item.size for item in result.found],
        {item.mask_shape for item in result.found if item.mask_shape},
        rows,
        origin_of(result.found, name),
        rows["stored_bgr"].to_numpy(),
    )


def _chain(opened: Sequence[_Opened]) -> list[Part]:
    """The parts of all files with `first` counted over all of them."""
    parts, offset = [], 0
    for item in opened:
        parts += [replace(part, first=part.first + offset) for part in item.parts]
        offset += len(item.rows)
    return parts


def _one_size(opened: Sequence[_Opened]) -> tuple[int, int]:
    sizes = {tuple(size): item.path for item in opened for size in item.sizes}
    if len(sizes) > 1:
        text = ", ".join(f"{height}x{width} in {path}" for (height, width), path in sizes.items())
        raise InputError(f"patches of mixed sizes: {text}; open files of one size together")
    height, width = next(iter(sizes))
    return height, width


def _one_mask_shape(opened: Sequence[_Opened]) -> tuple[int, ...]:
    shapes = {shape: item.path for item in opened for shape in item.mask_shapes}
    if len(shapes) > 1:
        text = ", ".join(f"{shape} in {path}" for shape, path in shapes.items())
        raise InputError(f"masks of mixed shapes: {text}; open these files apart")
    return next(iter(shapes), ())
