"""How much what a round outline encloses looks like a nucleus: a formula like that for regions (`quality.py`)."""

from collections.abc import Sequence

import numpy as np

from data_prep.nuclei.chromatin import WORKING_MPP, Chromatin
from data_prep.nuclei.rays import RAYS, Outlines, sample

OUTLINE_WEIGHTS = (0.023, -0.222, 0.370, 0.145, 0.184, 0.047, -0.647, 1.272, 0.354, 0.094, -0.026)
"""Constant and weights of `relate`, by least squares on the tuning halves (`benchmarks/nuclei_quality.py`)."""
INSIDE = {0.2: 0.1, 0.5: 0.25, 0.75: 0.35, 0.92: 0.3}
"""Where on a ray, in radii, the inside is looked at, and the share of the area that each place stands for."""
RIM = (0.75, 0.92)
OUTSIDE = (2.5, 4.0)  # pixels beyond the outline
CONTRAST = 3.0  # of density; beyond 1 / 3 more contrast says little
MOST_VOTES = 6.0


def rate_outlines(outlines: Outlines, maps: Chromatin, nucleus: Sequence[float] | np.ndarray) -> np.ndarray:
    """The intersection over union (n,) to be expected with the nucleus that each shows; `nucleus` as of `usual`."""
    return relate(describe_outlines(outlines, maps), nucleus) @ np.array(OUTLINE_WEIGHTS)


def describe_outlines(outlines: Outlines, maps: Chromatin) -> np.ndarray:
    """(n, 10) traits: 1; how elliptic; blueness; share of the outline beyond the border; how much denser the rim is
    than the outside; votes for the seed; mean slope of the outline, and where its flattest fifth ends; density; log
    area in um2.
    """
    x, y = outlines.points()
    height, width = maps.density.shape
    beyond = (x < 0) | (x > width - 1) | (y < 0) | (y > height - 1)
    areas = enclosed(outlines.radii)
    return np.stack(
        [
            np.ones(len(x)),
            np.minimum(areas / _area_of_ellipse(x, y), 1) ** 8,
            _mean_inside(outlines, maps.blueness),
            beyond.mean(1),
            _contrast(outlines, maps.density),
            np.minimum(outlines.votes, MOST_VOTES),
            outlines.slopes.mean(1),
            np.percentile(outlines.slopes, 20, axis=1),
            _mean_inside(outlines, maps.density),
            np.log(areas * WORKING_MPP**2),
        ],
        axis=1,
    )


def relate(traits: np.ndarray, nucleus: Sequence[float] | np.ndarray) -> np.ndarray:
    """(n, 11) terms: the `traits`, the last two as how far paler, smaller and larger than the usual `nucleus`."""
    density, log_area = nucleus
    larger = traits[:, 9] - log_area
    relative = (np.minimum(traits[:, 8] / density, 1), np.minimum(larger, 0), np.maximum(larger, 0))
    return np.concatenate([traits[:, :8], np.stack(relative, axis=1)], axis=1)


def enclosed(radii: np.ndarray) -> np.ndarray:
    """The area (n,) in pixels of the polygon of `radii` (n, `RAYS`)."""
    return (radii * np.roll(radii, -1, axis=1)).sum(1) * np.sin(2 * np.pi / RAYS) / 2


def _area_of_ellipse(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of the ellipse (n,) whose outline has the moments of the points."""
    x, y = (axis - axis.mean(1, keepdims=True) for axis in (x, y))
    spread = (x**2).mean(1) * (y**2).mean(1) - (x * y).mean(1) ** 2
    return 2 * np.pi * np.sqrt(np.maximum(spread, 1e-6))


def _mean_inside(outlines: Outlines, values: np.ndarray) -> np.ndarray:
    places = [share * sample(values, *outlines.points(radius)).mean(1) for radius, share in INSIDE.items()]
    return np.sum(places, axis=0)


def _contrast(outlines: Outlines, density: np.ndarray) -> np.ndarray:
    rim = np.mean([sample(density, *outlines.points(radius)) for radius in RIM], axis=0)
    outside = np.min([sample(density, *outlines.points(beyond=pixels)) for pixels in OUTSIDE], axis=0)
    return np.tanh(CONTRAST * (rim - outside)).mean(1)
