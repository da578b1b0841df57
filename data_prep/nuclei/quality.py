"""How much a dark region looks like a nucleus: a formula of seven terms."""

import numpy as np

from data_prep.nuclei.chromatin import WORKING_MPP
from data_prep.nuclei.levels import Level

SMALLEST, LARGEST = 2.0, 400.0  # um2; smaller and larger regions are no nuclei
SMALL = 20.0  # um2; from here on size says nothing more by itself
WEIGHTS = (-0.615, 0.402, 0.303, 1.091, 0.14, 0.173, 0.138, -0.062)
"""Constant and weights of `describe`, by least squares on the tuning halves (`benchmarks/nuclei_quality.py`)."""


def quality(level: Level, growth: np.ndarray) -> np.ndarray:
    """For each region of `level` (n,) the intersection over union to be expected with the nucleus it shows.

    `growth`: as of `describe`. 0 for regions that are too small or too large.
    """
    area = level.sums[:, 0] * WORKING_MPP**2
    expected = describe(level, growth) @ np.array(WEIGHTS)
    return np.where((area > SMALLEST) & (area < LARGEST), expected, 0.0)


def describe(level: Level, growth: np.ndarray) -> np.ndarray:
    """(n, 8) terms: 1; slope of the boundary times log area; how elliptic; blueness; log area up to `SMALL`;
    how little it grows toward the next lighter level (`growth`, area by area there); darkness cut by the border;
    darkness.
    """
    area = level.sums[:, 0]
    log_area = np.log(area * WORKING_MPP**2)
    darkness, blueness = level.sums[:, 6] / area, level.sums[:, 7] / area
    return np.stack(
        [
            np.ones(len(area)),
            log_area * level.slope,
            np.minimum(ellipticity(level.sums), 1) ** 8,
            blueness,
            np.minimum(log_area, np.log(SMALL)),
            growth**3,
            np.minimum(level.touching / np.sqrt(area), 1.5) * darkness,
            darkness,
        ],
        axis=1,
    )


def ellipticity(sums: np.ndarray) -> np.ndarray:
    """Area over that of the ellipse of equal second moments, from `Level.sums`: 1 for ellipses, less for others."""
    area, x, y, xx, yy, xy = sums[:, :6].T
    # Each pixel is a unit square, with a variance of 1/12 of its own.
    var_x, var_y = xx / area - (x / area) ** 2 + 1 / 12, yy / area - (y / area) ** 2 + 1 / 12
    covariance = xy / area - x * y / area**2
    return area / (4 * np.pi * np.sqrt(np.maximum(var_x * var_y - covariance**2, 1e-6)))
