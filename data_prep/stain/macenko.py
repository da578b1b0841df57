"""Macenko's stain separation and normalization."""

import numpy as np

from data_prep.stain.density import densities, percentile
from data_prep.stain.stains import Stains, ordered
from data_prep.stain.transfer import StainTransfer

REFERENCE = Stains.of([[0.5626, 0.2159], [0.7201, 0.8012], [0.4062, 0.5581]], [1.9705, 1.0308])
"""The reference of the published port to Python (schaugf/HEnorm_python): HERef and maxCRef."""
ALPHA = 1
"""Percent of the angles on either side that are taken for outliers."""
FLAT = 1e-9
"""Variance of OD in the second direction below which pixels are of one color."""


class Macenko(StainTransfer):
    """Stain normalization by Macenko et al. (2009, doi:10.1109/ISBI.2009.5193250), equal to the published port.

    The OD of tissue pixels lie near a plane, spanned by two eigenvectors of their covariance; the stains are the
    directions at the 1st and 99th percentile of the angles in it. Amounts are least squares, and may be negative.
    Before `fit` the target is the published reference (240, alpha 1, beta 0.15, HERef and maxCRef).
    """

    method = "macenko"

    def __init__(self) -> None:
        super().__init__()
        self.stains = REFERENCE

    def find_matrix(self, pixels: np.ndarray) -> np.ndarray | None:
        """The stain matrix (3, 2) of tissue `pixels` (n, 3) `uint8`, hematoxylin first; None where there is none."""
        return extreme_stains(densities(pixels[None]))

    def amounts(self, density: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Least-squares amounts (2, n) of each stain of `matrix` (3, 2) in `density` (3, n)."""
        return np.linalg.solve(matrix.T @ matrix, matrix.T) @ density


def extreme_stains(density: np.ndarray) -> np.ndarray | None:
    """The two stains (3, 2) at the ends of the plane in which `density` (3, n) lies; None where it has no width."""
    variances, directions = np.linalg.eigh(_covariance(density))
    if not variances[1] > FLAT:
        return None
    plane = directions[:, 1:]
    ends = [plane @ (np.cos(angle), np.sin(angle)) for angle in _extreme_angles(*(plane.T @ density))]
    return ordered(*ends)


def _covariance(density: np.ndarray) -> np.ndarray:
    """Population covariance (3, 3) of `density` (3, n), by its moments."""
    # Dot products of rows: ten times as fast as the matrix product, whose result is so small.
    red, green, blue = density
    rr, rg, rb, gg, gb, bb = red @ red, red @ green, red @ blue, green @ green, green @ blue, blue @ blue
    means = density.mean(axis=1)
    return np.array([[rr, rg, rb], [rg, gg, gb], [rb, gb, bb]]) / density.shape[1] - np.outer(means, means)


def _extreme_angles(across: np.ndarray, along: np.ndarray) -> list[float]:
    """The 1st and 99th percentile of arctan2(along, across), both (n,)."""
    if along.min() > 0 or along.max() < 0:
        # Where all lie on one side, the cotangent orders them like the angle, and costs a fraction of its time.
        side = float(np.sign(along[0]))
        values, meaning = -across / along, lambda value: float(np.arctan2(side, -value * side))
    else:
        values, meaning = np.arctan2(along, across), float
    return [percentile(values, percent, meaning) for percent in (ALPHA, 100 - ALPHA)]
