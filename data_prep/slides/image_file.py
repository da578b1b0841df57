"""Plain images as slides of one level."""

import warnings
from pathlib import Path

import numpy as np

from data_prep.slides.source import RefusedError
from data_prep.store.images import read_image


class ImageFile:
    """A `Source` that is one image in memory; its scale is never in the file."""

    bounds = (0, 0)

    def __init__(self, path: Path) -> None:
        """Read `path`. Raises `RefusedError` where it is no image, is cut short or has 179 million pixels or more."""
        _require_whole(path)
        self._image, self.notes = read_image(path)
        self.sizes = ((self._image.shape[1], self._image.shape[0]),)

    def mpp(self) -> None:
        """Images carry dots an inch for printing, not a scale."""
        return

    def region(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """RGB uint8 (height, width, 3)."""
        return self._image[y : y + height, x : x + width].copy()

    def close(self) -> None:
        """Nothing is held open."""


def _require_whole(path: Path) -> None:
    """OpenCV, which reads the pixels, fills up what is missing of a JPEG without a word: Pillow does not."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size warnings; twice that size is an error
            with Image.open(path) as image:
                if image.format == "TIFF":
                    raise RefusedError("a TIFF, which is left to the others")
                image.load()
    except UnidentifiedImageError:
        raise RefusedError("not an image that it knows") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RefusedError(str(error)) from error
