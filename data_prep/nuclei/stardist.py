"""StarDist (U. Schmidt et al., Cell Detection with Star-convex Polygons, MICCAI 2018), its model from a folder."""

import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.nuclei.labels import renumber
from data_prep.nuclei.paths import require_folder, split_mpp
from data_prep.nuclei.requirements import require_mpp

LOW, HIGH = 1, 99.8  # percentiles that become 0 and 1, as for the published H&E model


@dataclass(frozen=True)
class StarDist:
    """A model folder of the `stardist` package (`config.json` and weights), used as it is and never downloaded.

    `mpp`: micrometres a pixel that the model learned at; patches are brought to it. Without it they go in as they are.
    """

    folder: Path
    mpp: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `DIR` or `DIR@MPP`."""
        return cls(*split_mpp(text))

    def __post_init__(self) -> None:
        require_folder(self.folder, "a StarDist model (config.json and its weights)")
        if not (self.folder / "config.json").is_file():
            raise InputError(f"{self.folder}: no StarDist model, for want of config.json; name the model's own folder")
        _package()

    def __call__(self, images: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """Labels (n, h, w) `int32`; `InputError` where the model cannot be loaded, or a row has no mpp but needs it."""
        if self.mpp is not None:
            require_mpp(rows)
        model = _load(self.folder)
        return np.stack([self._labels(model, image, mpp) for image, mpp in zip(images, rows["mpp"], strict=True)])

    def _labels(self, model: Any, image: np.ndarray, mpp: float) -> np.ndarray:
        scale = 1.0 if self.mpp is None else mpp / self.mpp
        resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale != 1 else image
        low, high = np.percentile(resized, (LOW, HIGH))
        labels, _ = model.predict_instances((resized - low) / max(high - low, 1.0), verbose=False)
        size = (image.shape[1], image.shape[0])
        return renumber(cv2.resize(labels.astype(np.int32), size, interpolation=cv2.INTER_NEAREST_EXACT))


def _package() -> Any:
    try:
        from stardist.models import StarDist2D
    except ImportError as error:
        raise InputError("StarDist needs its package; pip install stardist") from error
    return StarDist2D


@lru_cache(maxsize=1)
def _load(folder: Path) -> Any:
    place = folder.resolve()
    try:
        with redirect_stdout(io.StringIO()):  # it tells what it loads; a command's output is its result
            return _package()(None, name=place.name, basedir=str(place.parent))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"{folder}: not a StarDist model that can be loaded ({error}); copy it again") from error
