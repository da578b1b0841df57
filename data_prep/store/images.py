"""Image files of any kind as RGB uint8 of one size."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.store.part import size_problem
from data_prep.store.words import counted

Fit = Literal["crop", "resize"]
SIXTEEN_BIT = "16-bit scaled to 8-bit"
TRANSPARENT = "transparent over white"
GRAY = "gray to RGB"


def read_image(path: Path) -> tuple[np.ndarray, frozenset[str]]:
    """Read `path` as (h, w, 3) RGB uint8, with a note for every change that lost or made up something.

    Gray becomes three equal channels, transparency is composed over white (an opaque alpha is dropped), 16-bit
    values are divided by 257 and rounded, palettes are looked up. Orientation tags are ignored: patches have no
    upright. Raises `InputError` for a missing or unreadable file and for floating-point pixels.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            f"{path}: the image cannot be opened ({error.strerror}); check its path and permissions"
        ) from error
    image = _decode(data)
    if image is None:
        raise InputError(f"{path}: not an image that can be read; replace it or leave it out")
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path}: {image.dtype} pixels; save it as an 8- or 16-bit image")
    image, notes = three_channels(image)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), notes


def _decode(data: np.ndarray) -> np.ndarray | None:
    try:
        return cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except cv2.error:
        return None


def three_channels(image: np.ndarray) -> tuple[np.ndarray, frozenset[str]]:
    """uint8 or uint16 pixels (h, w), or (h, w, 1 to 4) with alpha last, as (h, w, 3) uint8 in the same channel order.

    Gray, alpha and 16 bits become what `read_image` says, and are noted as it does.
    """
    notes = set()
    if image.dtype == np.uint16:
        notes.add(SIXTEEN_BIT)
        image = np.round(image / 257).astype(np.uint8)
    image = image[..., None] if image.ndim == 2 else image
    if image.shape[-1] in (2, 4):
        image, transparent = _over_white(image)
        notes |= {TRANSPARENT} if transparent else set()
    if image.shape[-1] == 1:
        notes.add(GRAY)
        image = np.repeat(image, 3, axis=-1)
    return image, frozenset(notes)


def _over_white(image: np.ndarray) -> tuple[np.ndarray, bool]:
    alpha = image[..., -1:] / 255
    if alpha.min() == 1:
        return np.ascontiguousarray(image[..., :-1]), False
    return np.round(image[..., :-1] * alpha + 255 * (1 - alpha)).astype(np.uint8), True


def warn_of_changes(notes: Mapping[str, int]) -> None:
    """One warning for each change in `notes` (change: how many images needed it), as in "3 images: gray to RGB"."""
    for note, count in sorted(notes.items()):
        warn(f"{counted(count, 'image')}: {note}")


def fitter(size: int | None, fit: Fit) -> Callable[[np.ndarray], tuple[np.ndarray, float]]:
    """A function from an image to (patch of `size` x `size`, how much larger its pixels became).

    "crop" takes the middle; "resize" brings the shorter side to `size` (area interpolation downward, linear
    upward), then takes the middle. `size` None leaves images as they are. `InputError` where no patch can have `size`;
    the function raises ValueError where an image is too small.
    """
    if size is None:
        return lambda image: (image, 1.0)
    if problem := size_problem((size, size)):
        raise InputError(f"--size {size}: the patches would {problem}")
    return lambda image: _fit(image, size, fit)


def _fit(image: np.ndarray, size: int, fit: Fit) -> tuple[np.ndarray, float]:
    height, width = image.shape[:2]
    scale = min(height, width) / size if fit == "resize" else 1.0
    if scale != 1:
        shape = (max(size, round(width / scale)), max(size, round(height / scale)))
        image = cv2.resize(image, shape, interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    elif min(height, width) < size:
        raise ValueError(f"{height}x{width} pixels are too few to crop {size}; give --fit resize, or a smaller size")
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return image[top : top + size, left : left + size], scale
