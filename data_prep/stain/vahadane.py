"""Vahadane's structure-preserving stain separation and normalization."""

import numpy as np

from data_prep.stain.density import LIGHT, densities
from data_prep.stain.macenko import extreme_stains
from data_prep.stain.sparse import sparse_amounts, sparse_stains
from data_prep.stain.stains import Stains, ordered
from data_prep.stain.transfer import StainTransfer

PENALTY = 0.1
"""Of amounts while the stains are looked for (lambda of the paper's code)."""
LATER_PENALTY = 0.01
"""Of amounts once the stains are known."""
SAMPLE = 10_000
"""Pixels of tissue that the stains are estimated on, evenly spread."""


class Vahadane(StainTransfer):
    """Stain normalization by Vahadane et al. (2016, doi:10.1109/TMI.2016.2529665): sparse nonnegative factors of OD.

    OD counts from white (255), so that it is never negative. The search starts at Macenko's stains and uses no random
    numbers. Amounts are the nonnegative lasso of every pixel, so that structure stays where it was.
    """

    method = "vahadane"
    offset = float(np.log(256 / LIGHT))

    def find_matrix(self, pixels: np.ndarray) -> np.ndarray | None:
        """The stain matrix (3, 2) of tissue `pixels` (n, 3) `uint8`, hematoxylin first; None where there is none."""
        sample = np.ascontiguousarray(pixels[:: -(-len(pixels) // SAMPLE)])
        density = densities(sample[None], self.offset)
        start = extreme_stains(density)
        # Sparse factors would average a felt pen with the stain that is nearest to it.
        if start is None or not Stains(start, np.ones(2)).plausible():
            return None
        return ordered(*sparse_stains(density, np.abs(start), PENALTY).T)

    def amounts(self, density: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Sparse nonnegative amounts (2, n) of each stain of `matrix` (3, 2) in `density` (3, n)."""
        return sparse_amounts(density, matrix, LATER_PENALTY)
