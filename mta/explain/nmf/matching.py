"""Which part of one fit is which of another."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from mta.explain.nmf.fitting import unit_rows


def matched_cosines(parts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosine (K,) of each of `parts` (K, C) with its partner among `others` (K, C).

    Partners are one to one with the largest sum of cosines (Kuhn's Hungarian method).
    """
    cosines = unit_rows(parts) @ unit_rows(others).T
    rows, columns = linear_sum_assignment(-cosines)
    return np.asarray(cosines[rows, columns])


def agreement_of(fits: Sequence[np.ndarray]) -> np.ndarray:
    """How well each part of each fit is found in the other fits, (fits, K): its mean matched cosine with them."""
    found = np.zeros((len(fits), len(fits[0])))
    for a, b in combinations(range(len(fits)), 2):
        found[a] += matched_cosines(fits[a], fits[b])
        found[b] += matched_cosines(fits[b], fits[a])
    return found / max(1, len(fits) - 1)
