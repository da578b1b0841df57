"""A folder of images, read like a patch store."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.store.images import Fit, fitter, read_image, warn_of_changes
from data_prep.store.rows import make_rows

# Edges of a patch along an edge of an image, from which on nobody means the image by its middle.
_LARGEST = 16
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})


class ImageFolder:
    """The images below `folder` as patches of `size` x `size` pixels, in the order of their paths.

    Args:
        folder: searched through all its folders for .png, .jpg, .jpeg, .tif, .tiff and .bmp files.
        size: side of the patches, pixels.
        fit: "crop" takes the middle, "resize" scales the shorter side first.

    `rows` is a row table with the image's path (relative to `folder`) as `entry`. Raises `InputError` when there is
    no image, and on reading one that is damaged, too small, or so large that it must be a slide.
    """

    def __init__(self, folder: str | Path, size: int, fit: Fit = "crop") -> None:
        root = Path(folder)
        self._paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
        if not self._paths:
            raise InputError(f"{root}: no image in this folder ({', '.join(sorted(ENDINGS))})")
        entries = [str(path.relative_to(root)) for path in self._paths]
        self.rows = make_rows(len(entries), {"source": root.name, "entry": entries})
        self.size, self.files = (size, size), [root]
        self.attributes: dict[str, str] = {}  # a store may carry some; images have none
        self._fit = fitter(size, fit)
        how = "cropped to the middle" if fit == "crop" else "resized to"
        self._other_size = f"of another size, {how} {size} x {size}"
        self._changes: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> np.ndarray:
        path = self._paths[index]
        image, notes = read_image(path)
        height, width = image.shape[:2]
        if max(height, width) > _LARGEST * self.size[0]:
            raise InputError(f"{path}: {width} x {height} pixels are no patch; name slides one by one")
        try:
            patch = self._fit(image)[0]
        except ValueError as error:
            raise InputError(f"{path}: {error}") from error
        self._changes[index] = notes | ({self._other_size} if (height, width) != self.size else set())
        return patch

    def take(self, indices: Any) -> np.ndarray:
        """The images `indices` (n,) as (n, size, size, 3) RGB uint8."""
        return np.stack([self[int(index)] for index in indices])

    def warn_of_changes(self) -> None:
        """Warn of how many of the images read so far were cropped, resized, or had other pixels than 8-bit RGB."""
        warn_of_changes(Counter(note for notes in self._changes.values() for note in notes))
