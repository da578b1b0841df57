"""Smooth random fields: the irregularity of tissue at a given physical scale."""

import cv2
import numpy as np


def smooth(rng: np.random.Generator, side: int, scale: float) -> np.ndarray:
    """A field (side, side) float32 of mean 0 and deviation about 1 that varies over `scale` pixels."""
    cells = int(np.ceil(side / max(scale, 1))) + 4
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    step = side / (cells - 4)
    start = rng.uniform(1, 2, 2)
    grid = np.array([[1 / step, 0, start[0]], [0, 1 / step, start[1]]], dtype=np.float32)
    field = cv2.warpAffine(coarse, grid, (side, side), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    return field * np.float32(1.35)  # interpolation between independent values loses this much of the deviation


def fractal(rng: np.random.Generator, side: int, scale: float, octaves: int = 3) -> np.ndarray:
    """A sum of `smooth` fields, each at half the scale and half the weight of the one before; deviation about 1."""
    weights = 0.5 ** np.arange(octaves)
    fields = np.array([smooth(rng, side, scale / 2**i) for i in range(octaves)])
    return np.tensordot(np.float32(weights / np.linalg.norm(weights)), fields, axes=1)


def fibres(rng: np.random.Generator, side: int, width: float) -> np.ndarray:
    """Wavy strands, `width` pixels wide, along one random direction: (side, side) float32, 0 between, 1 on a ridge."""
    angle = rng.uniform(0, np.pi)
    ys, xs = np.mgrid[:side, :side].astype(np.float32)
    along, across = xs * np.cos(angle) + ys * np.sin(angle), ys * np.cos(angle) - xs * np.sin(angle)
    across = across + width * 2.5 * smooth(rng, side, 10 * width)
    coarse = rng.standard_normal((64, 64), dtype=np.float32)
    field = cv2.remap(
        coarse,
        np.float32(along / (9 * width) % 60),
        np.float32(across / width % 60),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.exp(-((field / 0.55) ** 2))


def share_mask(field: np.ndarray, share: float, softness: float) -> np.ndarray:
    """A soft mask, 0..1, of the `share` of the area where `field` is highest; its edge is `softness` wide."""
    if share <= 0:
        return np.zeros_like(field)
    rank = int((1 - share) * (field.size - 1))
    threshold = np.partition(field.ravel(), rank)[rank]
    return 1 / (1 + np.exp(np.clip((threshold - field) / softness, -30, 30)))
