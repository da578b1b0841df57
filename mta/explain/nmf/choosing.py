"""How many parts: as many as lower the error and come out again from another start."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mta.explain.nmf.fitting import fit_parts, relative_error, unit_rows
from mta.explain.nmf.matching import agreement_of, matched_cosines
from mta.explain.nmf.vectors import Vectors

STABLE = 0.9
"""Mean matched cosine from which a number of parts counts as stable."""
NEAR = 0.01
"""Error above the least one (as a share of the norm) that more parts must not be taken for."""
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class Scan:
    """One number of parts from several starts.

    Attributes:
        count: K.
        parts: (K, C), of the start with the least error.
        error: of that start, on held-out vectors.
        agreement: (K,) of `parts`, mean matched cosine with the other starts.
        stability: mean of that over all starts and parts.
        chance: matched cosine of two draws of K activation vectors, which are no parts of anything.
    """

    count: int
    parts: np.ndarray
    error: float
    agreement: np.ndarray
    stability: float
    chance: float


def scan(fitted: Vectors, held_out: Vectors, count: int, seeds: Sequence[int]) -> Scan:
    """Fit `count` parts to `fitted` from each of `seeds`, measured on `held_out`.

    Raises:
        InputError: for more parts than vectors.
    """
    fits = [fit_parts(fitted, count, seed) for seed in seeds]
    errors = [relative_error(held_out, parts) for parts in fits]
    agreement, best = agreement_of(fits), int(np.argmin(errors))
    stability = float(agreement.mean()) if len(seeds) > 1 else float("nan")
    return Scan(count, fits[best], errors[best], agreement[best], stability, _chance(held_out, count))


def _chance(vectors: Vectors, count: int) -> float:
    generator = np.random.default_rng(0)
    rows = next(iter(vectors.blocks()))
    draws = [rows[generator.choice(len(rows), count, replace=len(rows) < count)] for _ in range(2)]
    return float(matched_cosines(*map(unit_rows, draws)).mean())


def choose(scans: Sequence[Scan]) -> Scan:
    """The fewest parts whose error is within 0.01 of the least among the stable (0.9); the stablest if none is."""
    stable = [one for one in scans if one.stability >= STABLE]
    if not stable:
        return max(scans, key=lambda one: np.nan_to_num(one.stability, nan=-1.0))
    least = min(one.error for one in stable)
    return min((one for one in stable if one.error <= least + NEAR), key=lambda one: one.count)
