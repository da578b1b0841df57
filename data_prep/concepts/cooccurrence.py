"""Contrast and correlation of a gray-level co-occurrence matrix, without the matrix.

Both are moments of the pairs of pixels that the matrix counts (Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314).
For n pairs (a, b), each counted in both directions, with N = 2n, S = Σ(a + b), Q = Σ(a² + b²) and X = Σab:

    contrast    = Σ(a - b)² / n = (Q - 2X) / n
    correlation = cov(a, b) / var(a) = (2NX - S²) / (NQ - S²)

The sums are integers and exact, so only the division rounds.
"""

import cv2
import numpy as np

UNKNOWN = float("nan")


def pair_texture(gray: np.ndarray, distance: int, inside: np.ndarray | None = None) -> tuple[float, float]:
    """Contrast (squared gray levels) and correlation (-1 to 1) of pixels `distance` columns apart (angle 0).

    `gray`: `uint8` (h, w). `inside`: `uint8` (h, w), 255 where a pixel counts and 0 elsewhere; a pair counts where both
    of its pixels do. Equal to `graycoprops` of scikit-image's symmetric `graycomatrix`, a matrix cropped to the counted
    levels included, because `graycoprops` scales any matrix to a sum of 1. Correlation is 1 where all pairs are of one
    level, as there. Without a pair both are NaN, where scikit-image has 0 and 1.
    """
    first, second = gray[:, :-distance], gray[:, distance:]
    count = first.size
    if inside is not None and count:
        both = cv2.bitwise_and(inside[:, :-distance], inside[:, distance:])
        first, second, count = cv2.bitwise_and(first, both), cv2.bitwise_and(second, both), cv2.countNonZero(both)
    if not count:
        return UNKNOWN, UNKNOWN
    return _from_sums(count, *_sums(first, second))


def _sums(first: np.ndarray, second: np.ndarray) -> tuple[int, int, int]:
    """S, Q and Q - 2X of the module's equations."""
    # OpenCV may give the square of a root, so a whole number is to be restored.
    total = cv2.sumElems(first)[0] + cv2.sumElems(second)[0]
    squares = cv2.norm(first, cv2.NORM_L2SQR) + cv2.norm(second, cv2.NORM_L2SQR)
    return round(total), round(squares), round(cv2.norm(first, second, cv2.NORM_L2SQR))


def _from_sums(count: int, total: int, squares: int, differences: int) -> tuple[float, float]:
    spread = 2 * count * squares - total**2
    together = 2 * count * (squares - differences) - total**2
    return differences / count, together / spread if spread else 1.0
