"""Deletion and insertion: what scores do as pixels go, or come, in the order of a map (Petsiuk et al., BMVC 2018)."""

from collections.abc import Callable

import numpy as np

GLASS = 255.0
"""Every channel of an empty slide: where integrated gradients begin, and what deleted pixels become."""
Score = Callable[[np.ndarray], np.ndarray]
"""From images (n, h, w, 3) to one score each (n,)."""


def ranks(maps: np.ndarray, seed: int = 0) -> np.ndarray:
    """Place of each pixel of `maps` (n, h, w) in its order, 0 for the highest; equal ones in random order."""
    flat = maps.reshape(len(maps), -1)
    ties = np.random.default_rng(seed).random(flat.shape)
    order = np.lexsort((ties, -flat), axis=1)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(flat.shape[1])[None], axis=1)
    return places.reshape(maps.shape)


def deletion_curve(
    score: Score, images: np.ndarray, places: np.ndarray, substitute: np.ndarray, steps: int
) -> np.ndarray:
    """Scores (steps + 1, n) of `images` (n, h, w, 3) when the first 0, 1 / steps, … 1 of their pixels are substituted.

    `places` (n, h, w): from `ranks`. `substitute`: what is put there, of the images' shape. Exchange images and
    substitute for the insertion curve.
    """
    pixels = places[0].size
    curve = []
    for step in range(steps + 1):
        gone = places < round(step * pixels / steps)
        curve.append(score(np.where(gone[..., None], substitute, images)))
    return np.array(curve)


def area_under(curve: np.ndarray) -> np.ndarray:
    """Area (n,) under `curve` (points, n) over 0 to 1, by the trapezoidal rule."""
    return np.asarray(np.trapezoid(curve, dx=1 / (len(curve) - 1), axis=0))
