"""Which of the nested regions are the nuclei: no two overlap, and together they are the best."""

from collections.abc import Sequence

import numpy as np

from data_prep.nuclei.levels import Level

LEAST_QUALITY = 0.34


def choose(levels: Sequence[Level], qualities: Sequence[np.ndarray], parents: Sequence[np.ndarray]) -> np.ndarray:
    """Label map (h, w) `int32` of the regions that, without overlap, have the largest sum of quality - `LEAST_QUALITY`.

    `levels`, darkest first, with the quality of each region and its parent in the next level (not for the last).
    """
    return _paint(levels, _outermost(_better_whole(qualities, parents), parents))


def _better_whole(qualities: Sequence[np.ndarray], parents: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each region: is it worth more than the best choice among the regions in it? From dark to light."""
    wholes: list[np.ndarray] = []
    inside: np.ndarray = np.zeros(len(qualities[0]))
    for number, quality in enumerate(qualities):
        worth = quality - LEAST_QUALITY
        whole = (worth > 0) & (worth >= inside)
        wholes.append(whole)
        if number < len(parents):
            best = np.where(whole, worth, inside)
            inside = np.bincount(parents[number], best, len(qualities[number + 1]))
    return wholes


def _outermost(wholes: list[np.ndarray], parents: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Of the regions that are worth more whole, those that lie in no other."""
    covered, outermost = np.zeros(len(wholes[-1]), bool), [wholes[-1]]
    for whole, parent in zip(wholes[-2::-1], parents[::-1], strict=True):
        covered = (covered | outermost[0])[parent]
        outermost.insert(0, whole & ~covered)
    return outermost


def _paint(levels: Sequence[Level], chosen: Sequence[np.ndarray]) -> np.ndarray:
    labels, count = np.zeros(levels[0].labels.shape, np.int32), 0
    for level, picked in zip(levels, chosen, strict=True):
        if picked.any():
            numbers = np.zeros(len(picked) + 1, np.int32)
            numbers[1:][picked] = np.arange(count + 1, count + 1 + picked.sum())
            labels += numbers[level.labels]
            count += int(picked.sum())
    return labels
