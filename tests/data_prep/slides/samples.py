"""Slides made for a test."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile


def tissue_like(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth colors with some noise (height, width, 3) uint8: no two places look alike."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(60, 240, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(image + generator.integers(-8, 9, image.shape), 0, 255).astype(np.uint8)


def halves(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """`image` and its reductions by 2, by area."""
    pyramid = [image]
    while len(pyramid) < levels:
        height, width = (length // 2 for length in pyramid[-1].shape[:2])
        pyramid.append(cv2.resize(pyramid[-1], (width, height), interpolation=cv2.INTER_AREA))
    return pyramid


def write_tiff(path: Path, image: np.ndarray, mpp: float | None = 0.5, levels: int = 1, **options: Any) -> Path:
    """A generic tiled pyramid (deflate, tiles of 64) with resolution tags, one page a level."""
    options = {"tile": (64, 64), "compression": "deflate", "metadata": None, "photometric": "rgb"} | options
    if mpp is not None:
        options |= {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path) as file:
        for level, pixels in enumerate(halves(image, levels)):
            file.write(pixels, subfiletype=int(level > 0), **options)
    return path


def write_ome(path: Path, image: np.ndarray, size: dict[str, Any], levels: int = 3) -> Path:
    """A tiled OME-TIFF whose levels are SubIFDs; `size` are attributes as PhysicalSizeX."""
    first, *rest = halves(image, levels)
    options: dict[str, Any] = {"tile": (64, 64), "compression": "deflate", "photometric": "rgb"}
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(first, subifds=len(rest), metadata={"axes": "YXS", **size}, **options)
        for level in rest:
            file.write(level, subfiletype=1, **options)
    return path
