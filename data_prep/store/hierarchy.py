"""Finds the patches of the original's HDF5 layouts in an open file, and what is wrong with them."""

from dataclasses import dataclass, field

import h5py
import numpy as np
import pandas as pd

from data_prep.store.guard import own_dataset
from data_prep.store.layouts import Place, is_slide_group, locate
from data_prep.store.part import size_problem
from data_prep.store.rows import make_rows

ORIGIN_COLUMNS = ("source", "entry", "layout", "pixels", "locations", "masks")


@dataclass(frozen=True)
class Found:
    """One dataset of patches: where, how many, its pixel and mask types, and its (row, col) locations."""

    place: Place
    dataset: str
    count: int
    size: tuple[int, int]
    dtype: str
    locations: np.ndarray | None = None
    masks: str | None = None
    mask_shape: tuple[int, ...] = ()
    mask_dtype: str = ""


@dataclass
class Scan:
    """What a walk through a file found: datasets of patches, `problems` and `warnings` as (slide, text)."""

    found: list[Found] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)


def scan(file: h5py.File) -> Scan:
    """Walk through `file`. Patches come in the order of their paths, and by number in the demo layout."""
    result = Scan()
    file.visititems(lambda path, node: _visit(result, file, path, node))
    result.found.sort(key=lambda item: (item.place.source, item.place.entry, item.place.patch_no))
    return result


def _visit(result: Scan, file: h5py.File, path: str, node: h5py.HLObject) -> None:
    if isinstance(node, h5py.Group):
        if is_slide_group(path) and "patches" not in node and not _holds_groups(node):
            result.problems.append((path, f"{path} has no patches"))
        return
    place = locate(path)
    if place is None:
        return
    if problem := _pixel_problem(place, node):
        result.problems.append((place.slide or path, f"{path} {problem}"))
        return
    result.found.append(_describe(result, file, place, node))


def _holds_groups(node: h5py.Group) -> bool:
    return any(isinstance(child, h5py.Group) for child in node.values())


def _pixel_problem(place: Place, node: h5py.Dataset | h5py.Datatype) -> str:
    if not isinstance(node, h5py.Dataset):
        return "is a type, not the data itself"
    dimensions = 3 if place.layout == "demo" else 4
    if node.ndim != dimensions or node.shape[-1] != 3:
        return f"has the shape {node.shape}; patches are {'' if dimensions == 3 else 'n x '}height x width x 3"
    if problem := size_problem(node.shape[-3:-1]):
        return problem
    allowed = "uf" if place.layout == "pannuke" else "u"
    if node.dtype.kind not in allowed or (node.dtype.kind == "u" and node.dtype.itemsize != 1):
        return f"has the type {node.dtype}; patches are uint8"
    return ""


def _describe(result: Scan, file: h5py.File, place: Place, node: h5py.Dataset) -> Found:
    path = node.name.lstrip("/")
    single = place.layout == "demo"
    count = 1 if single else node.shape[0]
    masks = _masks(result, file, place, node)
    return Found(
        place=place,
        dataset=path,
        count=count,
        size=tuple(node.shape[-3:-1]),
        dtype=node.dtype.str,
        locations=None if single or masks is not None else _locations(result, file, place, path, count),
        masks=None if masks is None else masks.name.lstrip("/"),
        mask_shape=() if masks is None else tuple(masks.shape[1:]),
        mask_dtype="" if masks is None else masks.dtype.str,
    )


def _masks(result: Scan, file: h5py.File, place: Place, node: h5py.Dataset) -> h5py.Dataset | None:
    name = f"{place.entry.rpartition('/')[0]}/mask"
    masks = own_dataset(file, name) if place.layout == "pannuke" else None
    if masks is None:
        return None
    if masks.shape != (*node.shape[:3], 6) or masks.dtype.kind not in "iuf":
        text = f"{name} is {masks.dtype} {masks.shape} beside patches {node.shape}; expected numbers of 6 channels"
        result.problems.append((place.entry, text))
        return None
    return masks


def _locations(result: Scan, file: h5py.File, place: Place, path: str, count: int) -> np.ndarray | None:
    if place.layout == "pannuke":
        return None
    name = f"{path.rpartition('/')[0]}/locations"
    dataset = own_dataset(file, name)
    if dataset is None:
        result.warnings.append((place.slide, f"{name} is missing: the patches of {place.slide} have no place"))
        return None
    if dataset.shape != (count, 2) or dataset.dtype.kind not in "iu":
        text = f"{name} is {dataset.dtype} {dataset.shape} beside {count} patches; expected integers ({count}, 2)"
        result.problems.append((place.slide, text))
        return None
    return dataset[()]


def rows_of(found: list[Found], source: str, bgr: bool | None) -> pd.DataFrame:
    """The row table of `found`; `bgr` None means the original's own channel order."""
    counts = [item.count for item in found]
    places = [item.place for item in found]
    each = {
        name: [getattr(place, name) for place in places] for name in ("entry", "patient", "slide", "centre", "label")
    }
    each["source"] = [place.source or source for place in places]
    each["stored_bgr"] = [place.bgr if bgr is None else bgr for place in places]
    values = {name: np.repeat(np.array(column, dtype=object), counts) for name, column in each.items()}
    numbers = [np.arange(item.count) + item.place.patch_no for item in found]
    corners = np.concatenate([np.zeros((0, 2), np.int64), *map(_corners, found)])
    return make_rows(
        sum(counts),
        values | {"patch_no": np.concatenate(numbers or [np.arange(0)]), "x": corners[:, 0], "y": corners[:, 1]},
    )


def _corners(item: Found) -> np.ndarray:
    """(count, 2) level-0 x and y, -1 where unknown. Locations are (row, column) in a grid of 2**level pixels."""
    if item.locations is None:
        return np.full((item.count, 2), -1)
    return item.locations.astype(np.int64)[:, ::-1] << item.place.level


def origin_of(found: list[Found], source: str) -> pd.DataFrame:
    """What a lossless way back needs to know of each entry: layout and the dtypes on disk ("" = no such dataset)."""
    records = [
        (
            item.place.source or source,
            item.place.entry,
            item.place.layout,
            item.dtype,
            "" if item.locations is None else item.locations.dtype.str,
            item.mask_dtype,
        )
        for item in found
    ]
    return pd.DataFrame(records, columns=list(ORIGIN_COLUMNS), dtype="str").drop_duplicates(ignore_index=True)
