"""Outlines of nuclei in GeoJSON, as QuPath, CellViT and InstanSeg export them, drawn onto patches."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.labels import renumber
from data_prep.nuclei.paths import describe, find_file, require_folder, split_mpp
from data_prep.nuclei.scales import listed_scales

ENDINGS = (".geojson", ".json")
SLIDES = "slides.csv"
_LARGEST = 2**30


@dataclass(frozen=True)
class Drawn:
    """Outlines of many nuclei: corners (m, 2) as x, y of all in a row, where each begins (n + 1,), boxes (n, 4)."""

    corners: np.ndarray
    starts: np.ndarray
    boxes: np.ndarray

    def touching(self, left: float, top: float, right: float, bottom: float) -> np.ndarray:
        """Numbers of the outlines whose box touches the given one."""
        low_x, low_y, high_x, high_y = self.boxes.T
        return np.flatnonzero((low_x < right) & (high_x > left) & (low_y < bottom) & (high_y > top))


@dataclass(frozen=True)
class Outlines:
    """A folder with a GeoJSON for each patch (patch pixels; `find_file`), or `<slide>.geojson` for each slide.

    Coordinates of a slide's file are level-0 pixels from its top-left corner; how large these are is said by `mpp`,
    else a table `slides.csv` (`slide,mpp`) in the folder, else `recorded` (mpp by slide). Every polygon is a nucleus,
    holes in it are filled; a pixel belongs to the first nucleus that holds its middle.
    """

    folder: Path
    mpp: float | None = None
    recorded: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, recorded: Mapping[str, float]) -> Self:
        """From `DIR` or `DIR@MPP`."""
        return cls(*split_mpp(text), recorded)

    def __post_init__(self) -> None:
        require_folder(self.folder, "a GeoJSON for each slide or patch")

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """Labels (n, h, w) `int32`; `InputError` where a file, the place of a patch or a resolution is missing."""
        return np.stack([self._labels(row, images.shape[1:3]) for row in rows.itertuples()])

    def _labels(self, row: Any, shape: tuple[int, int]) -> np.ndarray:
        if (own := find_file(self.folder, row, ENDINGS)) is not None and own.stem != row.slide:
            return draw(read_outlines(own), shape)
        name = row.slide or row.entry
        path = next((p for ending in ENDINGS if (p := self.folder / f"{Path(name).name}{ending}").is_file()), None)
        if path is None:
            raise InputError(f"{self.folder}: no GeoJSON for {describe(row)}; name it {name}.geojson, after its slide")
        if row.x < 0 or row.y < 0 or not row.mpp > 0:
            raise InputError(f"{path}: the patch {describe(row)} has no x, y and mpp, so its place is not known")
        return draw(read_outlines(path), shape, (row.x, row.y), row.mpp / self._mpp_of(name))

    def _mpp_of(self, slide: str) -> float:
        mpp = self.mpp or listed_scales(self.folder / SLIDES).get(slide) or self.recorded.get(slide)
        if mpp is None:
            remedy = f"add @MPP to the folder's name, as @0.25, or list it in its {SLIDES} (slide,mpp)"
            raise InputError(f"{self.folder}: the um a pixel of the slide {slide} are not known; {remedy}")
        return mpp


def draw(
    outlines: Drawn, shape: tuple[int, int], corner: tuple[float, float] = (0, 0), scale: float = 1.0
) -> np.ndarray:
    """Labels (h, w) `int32` of a patch of `shape`, its top-left at `corner`, its pixels `scale` as large."""
    from skimage.draw import polygon

    labels, (height, width) = np.zeros(shape, np.int32), shape
    far = corner[0] + width * scale, corner[1] + height * scale
    for number, index in enumerate(outlines.touching(*corner, *far), start=1):
        own = outlines.corners[outlines.starts[index] : outlines.starts[index + 1]]
        # A pixel's middle lies half a pixel from its corner.
        x, y = ((own - corner) / scale - 0.5).T
        inside = polygon(y, x, shape)
        labels[inside] = np.where(labels[inside] == 0, number, labels[inside])
    return renumber(labels)


@lru_cache(maxsize=2)
def read_outlines(path: Path) -> Drawn:
    """All polygons of a GeoJSON: a collection, a list of features or one.

    Of a QuPath cell its `nucleusGeometry` is taken; the parts of a multipolygon are nuclei of their own (CellViT
    writes one a class). Beside QuPath's detections or cells its annotations are regions, not nuclei. `InputError` where
    it is not whole JSON, not GeoJSON, or has features without a polygon.
    """
    rings = [_corners(path, ring) for feature in _nuclei(_features(path)) for ring in _rings(path, feature)]
    starts = np.cumsum([0] + [len(ring) for ring in rings])
    corners = np.concatenate(rings) if rings else np.zeros((0, 2))
    boxes = np.array([(*ring.min(0), *ring.max(0)) for ring in rings]).reshape(-1, 4)
    return Drawn(corners, starts, boxes)


def _features(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: more than {_LARGEST >> 20} MiB; export the nuclei in parts")
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not whole JSON ({error}); export the nuclei again as GeoJSON") from error
    if isinstance(value, dict):
        value = value.get("features", [value])
    if not isinstance(value, list):
        raise InputError(f"{path}: not GeoJSON features; export the nuclei again as GeoJSON")
    return value


def _nuclei(features: list[Any]) -> list[Any]:
    kinds = [_object_type(feature) for feature in features]
    if not {"detection", "cell"} & set(kinds):
        return features
    return [feature for feature, kind in zip(features, kinds, strict=True) if kind != "annotation"]


def _object_type(feature: Any) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    return str(properties.get("objectType")) if isinstance(properties, dict) else ""


def _rings(path: Path, feature: Any) -> list[Any]:
    """The outer rings of the polygons of a feature."""
    try:
        geometry = feature.get("nucleusGeometry") or feature["geometry"]
        kind, coordinates = geometry["type"], geometry["coordinates"]
        if kind not in ("Polygon", "MultiPolygon"):
            raise InputError(f"{path}: a nucleus is a {str(kind)[:40]}, which has no area; export outlines")
        return [coordinates[0]] if kind == "Polygon" else [part[0] for part in coordinates]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: a feature without the geometry of GeoJSON; export the nuclei again") from error


def _corners(path: Path, ring: Any) -> np.ndarray:
    try:
        corners = np.array(ring, dtype=np.float64)[:, :2]
    except (ValueError, TypeError, IndexError, OverflowError):
        corners = np.zeros((0, 2))
    if len(corners) < 3 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise InputError(f"{path}: an outline has no three corners of two numbers ({str(ring)[:60]}); export it again")
    return corners
