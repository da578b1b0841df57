"""Cached features as the inputs of the upper part of a network."""

from typing import Any

import numpy as np

from data_prep.console import say
from mta.data.features.cache import FeatureCache, named

SAMPLE = 32  # rows that the error of the cache is measured on


class FeatureInputs:
    """The tensors that cross the cut as the inputs `feature_0`, `feature_1`, … (`mta.data.inputs.Inputs`).

    Args:
        cache: of the store.
        upper: the part of the network that takes them.
        window: rows shuffled together, as when the patches themselves are read: the order must not depend on the cache.
    """

    def __init__(self, cache: FeatureCache, upper: Any, window: int) -> None:
        self._cache, self._upper, self.window, self.views = cache, upper, window, cache.views
        self.start(np.empty(0, int))

    def prepare(self, rows: np.ndarray, quiet: bool) -> None:
        """Compute the features of `rows`, as far as there is room; says what less than float32 costs."""
        self._cache.fill(rows, quiet)
        if self._cache.dtype != "float32" and not quiet:
            error = self._cache.error(rows[:SAMPLE], self._upper)
            say(f"kept as {self._cache.dtype}: outputs differ by {error:.1e} at most, relative to their largest")

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.take`."""
        return named(self._cache.take(rows))

    def start(self, order: np.ndarray) -> None:
        """`Inputs.start`."""
        self._order = order

    def between(self, start: int, stop: int, views: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.between`."""
        return named(self._cache.take(self._order[start:stop], views))

    def close(self) -> None:
        """Let go of the cache."""
        self._cache.close()
