"""How smooth maps are (Margeloiu et al., 2020, `compute_smoothness` of their code)."""

import numpy as np


def sharpness(maps: np.ndarray) -> dict[str, np.ndarray]:
    """`L1` and `L2` of each map (n,): mean absolute, or squared, difference to the pixel above plus that to the left.

    `maps` (n, h, w) are brought to 0 to 1 first. Differences wrap around at the border. Lower is smoother; NaN for a
    map that is the same everywhere.
    """
    low, high = (edge(axis=(1, 2), keepdims=True).astype(float) for edge in (maps.min, maps.max))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(high > low, (maps - low) / (high - low), np.nan)
    steps = [scaled - np.roll(scaled, 1, axis) for axis in (2, 1)]
    return {
        "L1": np.mean([np.abs(step).mean(axis=(1, 2)) for step in steps], axis=0) * 2,
        "L2": np.mean([(step**2).mean(axis=(1, 2)) for step in steps], axis=0) * 2,
    }
