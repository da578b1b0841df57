"""How much a dark region looks like a nucleus: a formula of eight terms, two of them relative to the patch."""

from collections.abc import Sequence

import numpy as np

from data_prep.nuclei.choice import LEAST_QUALITY
from data_prep.nuclei.chromatin import WORKING_MPP
from data_prep.nuclei.levels import Level

SMALLEST, LARGEST = 2.0, 400.0  # um2; smaller and larger regions are no nuclei
WEIGHTS = (-0.106, 0.341, 0.303, 0.439, 0.156, 0.139, -0.319, 0.386, 0.117)
"""Constant and weights of `compare`, by least squares on the tuning halves (`benchmarks/nuclei_quality.py`)."""
USUAL = (1.1, np.log(24.0))
"""Density and log area (um2) of the usual nucleus: medians over the patches of the tuning halves."""
TRUST = 0.3
"""How much `USUAL` counts against the regions of a patch: little, unless there is hardly a nucleus in it."""


def rate(regions: Sequence[tuple[Level, np.ndarray]]) -> tuple[list[np.ndarray], np.ndarray]:
    """For each region (n,) the intersection over union to be expected with the nucleus it shows; and `usual` (2,).

    `regions`: all of a patch, in parts, with their growth as of `describe`. 0 for those too small or too large.
    """
    traits = np.concatenate([describe(level, growth) for level, growth in regions])
    nucleus = usual(traits)
    quality = expect(traits, nucleus)
    return np.split(quality, np.cumsum([len(growth) for _, growth in regions])[:-1]), nucleus


def describe(level: Level, growth: np.ndarray) -> np.ndarray:
    """(n, 9) traits: 1; slope of the boundary times log area; how elliptic; blueness; how little it grows toward the
    next lighter level (`growth`, area by area there); darkness cut by the border; darkness; density; log area in um2.
    """
    area = level.area
    log_area = np.log(area * WORKING_MPP**2)
    darkness, blueness, density = level.sums[:, 6:9].T / area
    return np.stack(
        [
            np.ones(len(area)),
            log_area * level.slope,
            np.minimum(ellipticity(level.sums), 1) ** 8,
            blueness,
            growth**3,
            np.minimum(level.touching / np.sqrt(area), 1.5) * darkness,
            darkness,
            density,
            log_area,
        ],
        axis=1,
    )


def usual(traits: np.ndarray) -> np.ndarray:
    """Density and log area of what looks like nuclei among the `traits` (n, 9) of a patch."""
    weight = np.maximum(expect(traits, USUAL) - LEAST_QUALITY, 0) ** 2
    return (weight @ traits[:, 7:] + TRUST * np.array(USUAL)) / (weight.sum() + TRUST)


def expect(traits: np.ndarray, nucleus: Sequence[float] | np.ndarray) -> np.ndarray:
    """The quality (n,) of regions with these `traits`, where `nucleus` is the usual one."""
    fit = is_fit(traits)
    return np.where(fit, compare(traits, nucleus) @ np.array(WEIGHTS), 0.0)


def is_fit(traits: np.ndarray) -> np.ndarray:
    """Which (n,) are neither too small nor too large."""
    return (traits[:, 8] > np.log(SMALLEST)) & (traits[:, 8] < np.log(LARGEST))


def compare(traits: np.ndarray, nucleus: Sequence[float] | np.ndarray) -> np.ndarray:
    """(n, 9) terms: the `traits`, the last two as how far a region is paler and smaller than the usual `nucleus`."""
    density, log_area = nucleus
    terms = traits.copy()
    terms[:, 7] = np.minimum(traits[:, 7] / density, 1)
    terms[:, 8] = np.minimum(traits[:, 8] - log_area, 0)
    return terms


def ellipticity(sums: np.ndarray) -> np.ndarray:
    """Area over that of the ellipse of equal second moments, from `Level.sums`: 1 for ellipses, less for others."""
    area, x, y, xx, yy, xy = sums[:, :6].T
    # Each pixel is a unit square, with a variance of 1/12 of its own.
    var_x, var_y = xx / area - (x / area) ** 2 + 1 / 12, yy / area - (y / area) ** 2 + 1 / 12
    covariance = xy / area - x * y / area**2
    return area / (4 * np.pi * np.sqrt(np.maximum(var_x * var_y - covariance**2, 1e-6)))
