"""Rivals timed in turns, so that a busy machine slows all alike, and compared within each round."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """How many times as long one rival takes as another: median, least and largest over the rounds."""

    median: float
    least: float
    largest: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.least:.1f} to {self.largest:.1f})"


@dataclass(frozen=True)
class Timing:
    """Seconds (rounds, rivals, 2) that each rival takes for one item, by processor and by wall clock."""

    names: tuple[str, ...]
    seconds: np.ndarray

    def median(self, name: str, wall: bool = True) -> float:
        """Seconds an item, the median over the rounds."""
        return float(np.median(self._of(name, wall)))

    def ratio(self, name: str, to: str, wall: bool = True) -> Ratio:
        """The time of `name` over that of `to` in each round."""
        found = self._of(name, wall) / self._of(to, wall)
        return Ratio(float(np.median(found)), float(found.min()), float(found.max()))

    def _of(self, name: str, wall: bool) -> np.ndarray:
        return self.seconds[:, self.names.index(name), int(wall)]


def take_turns(rivals: Mapping[str, tuple[Work, int]], rounds: int) -> Timing:
    """`rivals`, each a work and its number of items: once without being counted, then `rounds` times in turns."""
    for work, _ in rivals.values():
        work()
    seconds = [[_seconds(work) for work, _ in rivals.values()] for _ in range(rounds)]
    items = np.array([count for _, count in rivals.values()])
    return Timing(tuple(rivals), np.array(seconds) / items[:, None])


def _seconds(work: Work) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall
