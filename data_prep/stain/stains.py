"""The two stains of a patch or slide: their colors, and how strong they become."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from data_prep.errors import InputError

SMALLEST_ANGLE = 3.0
"""Degrees between hematoxylin and eosin below which they cannot be told apart."""
LEAST_PEAK = 0.05
"""OD that a stain must reach somewhere, or there is none of it."""
BELOW_ZERO = -0.1
"""Noise may make a component of a stain negative, but not by more than this."""
PEN = 1.65
"""No stain of H&E takes this many times more red, or more blue, than green light; felt pens do."""


@dataclass(frozen=True, eq=False)
class Stains:
    """Hematoxylin and eosin as `matrix` (3, 2) and `peaks` (2,), both float64.

    `matrix`: the OD of red, green and blue light (rows) that one unit of each stain (columns) takes away, columns of
    length 1. `peaks`: the 99th percentile of the amount of each stain, in OD.
    """

    matrix: np.ndarray
    peaks: np.ndarray

    @classmethod
    def of(cls, matrix: ArrayLike, peaks: ArrayLike) -> Self:
        """Stains of finite numbers in the shapes above; `InputError` where they cannot be two stains."""
        stains = cls(np.array(matrix, dtype=np.float64), np.array(peaks, dtype=np.float64))
        if stains.matrix.shape != (3, 2) or stains.peaks.shape != (2,):
            raise InputError("stains are a matrix of 3 rows (red, green, blue) and 2 columns, and 2 peaks")
        if not stains.separable():
            raise InputError("the stains are not finite, too faint, or too alike to be told apart")
        return stains

    def separable(self) -> bool:
        """Whether amounts of the two stains can be computed: finite, present, and of different colors."""
        if not (np.isfinite(self.matrix).all() and np.isfinite(self.peaks).all()):
            return False
        lengths = np.linalg.norm(self.matrix, axis=0)
        if not (lengths > 0).all():
            return False
        cosine = float(np.prod(self.matrix / lengths, axis=1).sum())
        return abs(cosine) < np.cos(np.radians(SMALLEST_ANGLE)) and bool((self.peaks >= LEAST_PEAK).all())

    def plausible(self) -> bool:
        """Whether these can be the stains of H&E, and not noise, a felt pen or another dye."""
        red, green, blue = self.matrix
        pen = (red > PEN * green) | (blue > PEN * green)
        return self.separable() and bool((self.matrix >= BELOW_ZERO).all()) and not pen.any()

    def scaled(self, source: Self) -> np.ndarray:
        """The matrix (3, 2) by which amounts of `source` become OD in these stains, peak for peak."""
        return self.matrix * (self.peaks / source.peaks)

    def fields(self) -> dict[str, Any]:
        """The numbers, as JSON types."""
        return {"matrix": self.matrix.tolist(), "peaks": self.peaks.tolist()}

    @classmethod
    def median(cls, several: list["Stains"]) -> "Stains":
        """The median of each number of `several` (at least one), the columns of the matrix brought to length 1."""
        matrix = np.median([stains.matrix for stains in several], axis=0)
        return cls.of(matrix / np.linalg.norm(matrix, axis=0), np.median([s.peaks for s in several], axis=0))


def ordered(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """A matrix (3, 2) of two stains (3,), hematoxylin first: the one that takes more red light."""
    return np.column_stack([first, second] if first[0] > second[0] else [second, first])
