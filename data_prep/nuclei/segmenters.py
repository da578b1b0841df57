"""One door to every segmenter: a name, or a name and a path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.classical import segment
from data_prep.nuclei.labels import without_border
from data_prep.nuclei.requirements import require_mpp
from data_prep.nuclei.scales import recorded_scales


class Segmenter(Protocol):
    """Finds the nuclei of patches: (n, h, w, 3) RGB `uint8` and their n rows to labels (n, h, w) `int32`."""

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """Labels (n, h, w) `int32`, 0 for background; `InputError` where a row lacks what the segmenter needs."""


@dataclass(frozen=True)
class Classical:
    """`segment` at the mpp of each row."""

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """Labels (n, h, w) `int32`; `InputError` where a row has no mpp."""
        require_mpp(rows)
        pairs = zip(images, rows["mpp"], strict=True)
        return np.stack([segment(image, float(mpp)) for image, mpp in pairs])


def make_segmenter(spec: str, drop_border: bool = False, extraction: str = "{}") -> Segmenter:
    """The segmenter that `spec` names: `classical`, `stardist:DIR[@MPP]`, `masks:PATH` or `geojson:DIR[@MPP]`.

    `drop_border` leaves out the nuclei that touch the border of their patch. `extraction`: the text of this name
    that the store of the patches carries, which knows the resolution of its slides. `InputError` for an unknown name, a
    missing path or a missing library.
    """
    name, _, path = spec.partition(":")
    if name not in _MAKERS or bool(path) == (name == "classical"):
        choices = "classical, stardist:DIR[@MPP], masks:PATH or geojson:DIR[@MPP]"
        raise InputError(f"there is no segmenter {spec!r}; choose one of {choices}")
    segmenter = _MAKERS[name](path, recorded_scales(extraction))
    return _BorderDropper(segmenter) if drop_border else segmenter


@dataclass(frozen=True)
class _BorderDropper:
    segmenter: Segmenter

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        return np.stack([without_border(labels) for labels in self.segmenter(images, rows)])


def _classical(path: str, scales: Mapping[str, float]) -> Segmenter:
    return Classical()


def _stardist(path: str, scales: Mapping[str, float]) -> Segmenter:
    from data_prep.nuclei.stardist import StarDist

    return StarDist.parse(path)


def _masks(path: str, scales: Mapping[str, float]) -> Segmenter:
    from data_prep.nuclei.mask_files import MaskFolder, StoredMasks

    return StoredMasks(Path(path)) if Path(path).is_file() else MaskFolder(Path(path))


def _geojson(path: str, scales: Mapping[str, float]) -> Segmenter:
    from data_prep.nuclei.outlines import Outlines

    return Outlines.parse(path, scales)


_MAKERS: dict[str, Callable[[str, Mapping[str, float]], Segmenter]] = {
    "classical": _classical,
    "stardist": _stardist,
    "masks": _masks,
    "geojson": _geojson,
}
