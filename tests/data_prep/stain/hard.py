"""Patches that no stain normalization can be asked to change."""

import numpy as np

HARD = {
    "black": np.zeros((8, 8, 3), np.uint8),
    "white": np.full((8, 8, 3), 255, np.uint8),
    "constant": np.full((8, 8, 3), (200, 120, 180), np.uint8),
    "one pixel": np.full((1, 1, 3), 90, np.uint8),
    "one stained pixel": np.full((1, 1, 3), (150, 60, 140), np.uint8),
    "scanner noise": np.random.default_rng(0).integers(243, 246, (32, 32, 3), dtype=np.uint8),
    "white but for five pixels": np.where(np.arange(64).reshape(8, 8, 1) < 5, (90, 40, 120), 255).astype(np.uint8),
}


def stained(
    shape=(64, 64), seed=0, matrix=((0.65, 0.1), (0.70, 0.95), (0.29, 0.28)), strength=(1.2, 0.8)
) -> np.ndarray:
    """A patch (h, w, 3) of pixels that are mixtures of two stains, most of them of one alone, some of none."""
    generator = np.random.default_rng(seed)
    columns = np.array(matrix) / np.linalg.norm(matrix, axis=0)
    amounts = generator.gamma(3.0, 1 / 6, (*shape, 2)) * strength
    kind = generator.random(shape)
    amounts[kind < 0.4, 1] *= 0.05
    amounts[(kind >= 0.4) & (kind < 0.8), 0] *= 0.05
    amounts[kind > 0.95] = 0
    return (256 * np.exp(-amounts @ columns.T) - 1).clip(0, 255).round().astype(np.uint8)


def pen_marked(color: tuple[int, int, int]) -> np.ndarray:
    """A stained patch with a stripe of a felt pen across a quarter of it."""
    patch = stained()
    patch[20:36] = np.clip(np.array(color) + np.random.default_rng(1).integers(-15, 15, (16, 64, 3)), 0, 255)
    return patch


PENS = {"blue": (40, 60, 190), "green": (30, 150, 80)}
