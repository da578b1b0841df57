"""Round outlines: around each seed the closed line, met once in each direction, along the steepest slopes.

Candidates where a nucleus is no region of any level: its rim broken, its middle pale, or another one touching it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from data_prep.nuclei.chromatin import blur
from data_prep.nuclei.seeds import find_seeds

RAYS = 32
RADII = np.arange(2.5, 20.5, dtype=np.float32)  # pixels of `WORKING_MPP`: 1.25 to 9.75 um
PREFERENCES = (0.0, 0.3)
"""How much a radius of 20 pixels is worth beside none, in slopes: each seed gets one outline of each."""
BEND = 0.08  # cost of a radius other than that of the ray before
STEEP = 1.5  # usual slopes of the seed; the edge of a much darker neighbor is worth hardly more
SMOOTHING = 0.4  # um
LEAST_VOTES = 0.25  # deviations; the outline around a seed with fewer is hardly ever chosen, and takes as long
MOST_ROWS = 1 << 14  # OpenCV refuses 2^15, and none
_ANGLES = np.arange(RAYS) * 2 * np.pi / RAYS
_COS, _SIN = np.cos(_ANGLES).astype(np.float32), np.sin(_ANGLES).astype(np.float32)


@dataclass(frozen=True)
class Outlines:
    """n closed lines: the `seeds` (n, 2) as y, x; radii (n, `RAYS`); slopes there, above 0 where it is darker inside.

    `votes` (n,) are those of the seeds (`find_seeds`).
    """

    seeds: np.ndarray
    radii: np.ndarray
    slopes: np.ndarray
    votes: np.ndarray

    def points(self, scale: float = 1.0, beyond: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """x and y (n, `RAYS`) at `scale` times the radii and so many pixels `beyond`."""
        radii, seeds = (self.radii * scale + beyond).astype(np.float32), self.seeds.astype(np.float32)
        return seeds[:, 1:] + radii * _COS, seeds[:, :1] + radii * _SIN


def find_outlines(density: np.ndarray, least_votes: float = LEAST_VOTES) -> Outlines:
    """The outlines around the seeds of a map of density (h, w) that have more than `least_votes`."""
    smooth = blur(density, SMOOTHING)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=0.125) for dx in (1, 0))
    seeds, votes = find_seeds(density, (gx, gy))
    seeds, votes = seeds[votes > least_votes], votes[votes > least_votes]
    slopes = _slopes(seeds, gx, gy)
    worth = _worth(slopes)
    paths = _paths(np.concatenate([worth + np.float32(wide / 20) * RADII for wide in PREFERENCES]))
    along = np.take_along_axis(np.concatenate([slopes] * len(PREFERENCES)), paths[..., None], 2)[..., 0]
    return Outlines(np.concatenate([seeds] * len(PREFERENCES)), RADII[paths], along, np.tile(votes, len(PREFERENCES)))


def sample(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A map (h, w) at the places `x` and `y` (n, m), between pixels and beyond the border too."""
    parts = [
        cv2.remap(
            values,
            x[start : start + MOST_ROWS].astype(np.float32),
            y[start : start + MOST_ROWS].astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for start in range(0, len(x), MOST_ROWS)
    ]
    return np.concatenate(parts) if parts else np.zeros(x.shape, np.float32)


def _slopes(seeds: np.ndarray, gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
    """How fast it gets lighter outward (n, `RAYS`, radii)."""
    x = seeds[:, 1, None, None] + _COS[:, None] * RADII
    y = seeds[:, 0, None, None] + _SIN[:, None] * RADII
    flat = (len(seeds), RAYS * len(RADII))
    outward = [sample(slope, x.reshape(flat), y.reshape(flat)).reshape(x.shape) for slope in (gx, gy)]
    return -(outward[0] * _COS[:, None] + outward[1] * _SIN[:, None])


def _worth(slopes: np.ndarray) -> np.ndarray:
    usual = np.median(np.maximum(slopes.max(2), 0), axis=1)[:, None, None] + 1e-3
    return np.tanh(slopes / (STEEP * usual))


def _paths(worth: np.ndarray) -> np.ndarray:
    """Indices of the best radii (n, `RAYS`), from ray to ray at most one radius apart.

    It begins and ends a quarter turn beyond the rays that are kept, of which the first and the last so nearly agree.
    """
    quarter = RAYS // 4
    order = np.arange(-quarter, RAYS + quarter) % RAYS
    by_ray = np.ascontiguousarray(worth.transpose(1, 2, 0))
    best, steps = by_ray[order[0]], []
    for ray in order[1:]:
        best, step = _extend(best)
        best += by_ray[ray]
        steps.append(step)
    path = [best.argmax(0)]
    for step in reversed(steps):
        path.append(path[-1] + step[path[-1], np.arange(len(worth))])
    return np.stack(path[::-1], axis=1)[:, quarter : quarter + RAYS]


def _extend(best: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best sums (radii, n) before the next ray, and whether each came from a radius shorter, -1, or longer, 1."""
    bent, total, step = best - BEND, best.copy(), np.zeros(best.shape, np.int8)
    np.maximum(best[:-1], bent[1:], out=total[:-1])
    step[:-1] = total[:-1] != best[:-1]
    shorter = bent[:-1] > total[1:]
    np.maximum(total[1:], bent[:-1], out=total[1:])
    step[1:] -= shorter * (step[1:] + np.int8(1))  # quicker than a masked copy
    return total, step
