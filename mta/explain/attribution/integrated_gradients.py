"""Integrated gradients (Sundararajan et al., ICML 2017)."""

from collections.abc import Callable

import numpy as np

Gradient = Callable[[np.ndarray], np.ndarray]
"""From inputs (n, …) to the gradients (T, n, …) of T scores."""


def integrated_gradients(
    gradient: Gradient, images: np.ndarray, baseline: np.ndarray | float, steps: int
) -> np.ndarray:
    """What each number of `images` (n, …) adds to the T scores on the way from `baseline`: (T, n, …).

    The sums over an image are its scores minus those of the baseline, but for the error of the trapezoidal rule on
    `steps` >= 2 points of the straight line from `baseline` (broadcast to the images) to the image.
    """
    difference = images.astype(np.float32) - baseline
    weights = np.ones(steps) / (steps - 1)
    weights[[0, -1]] /= 2
    # One point at a time: memory is that of one gradient.
    total = sum(
        weight * gradient(baseline + share * difference)
        for share, weight in zip(np.linspace(0, 1, steps, dtype=np.float32), weights.astype(np.float32), strict=True)
    )
    return np.asarray(total * difference)
