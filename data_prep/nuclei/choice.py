"""Which of the nested regions are the nuclei: no two overlap, and together they are the best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_QUALITY = 0.34


@dataclass(frozen=True)
class Pieces:
    """Another way to divide regions of a level: labels (h, w), and of each piece (n,) its quality and its region."""

    labels: np.ndarray
    quality: np.ndarray
    of: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """The regions of a level: labels (h, w), the quality of each (n,), and its parent in the next lighter level.

    `pieces` are what some of them can be cut into.
    """

    labels: np.ndarray
    quality: np.ndarray
    parents: np.ndarray
    pieces: Pieces | None = None


def choose(levels: Sequence[Candidates]) -> tuple[np.ndarray, np.ndarray]:
    """Label map (h, w) `int32` of the candidates that, without overlap, have the largest sum of quality; and the
    quality of each (n,).

    Each counts less `LEAST_QUALITY`, so that what is worse is no nucleus. `levels`: darkest first; parents of the last
    are not looked at. Each region is one nucleus, or its pieces are, or whatever is best among the regions in it.
    """
    decided = _decide(levels)
    covered, labels = np.zeros(len(levels[-1].quality), bool), np.zeros(levels[-1].labels.shape, np.int32)
    above: np.ndarray = np.zeros(0, bool)
    qualities: list[np.ndarray] = []
    for level, (whole, divided) in reversed(list(zip(levels, decided, strict=True))):
        covered = above[level.parents] if above.size else covered
        qualities.append(_paint(labels, level.labels, whole & ~covered, level.quality))
        if level.pieces is not None:
            kept = (divided & ~covered)[level.pieces.of] & (level.pieces.quality > LEAST_QUALITY)
            qualities.append(_paint(labels, level.pieces.labels, kept, level.pieces.quality))
        above = covered | whole | divided
    return labels, np.concatenate(qualities)


def _decide(levels: Sequence[Candidates]) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each region: is it one nucleus, are its pieces, or (neither) is it left to the regions in it?"""
    decided: list[tuple[np.ndarray, np.ndarray]] = []
    inside: np.ndarray = np.zeros(len(levels[0].quality))
    for level, lighter in zip(levels, [*levels[1:], None], strict=True):
        worth, cut = level.quality - LEAST_QUALITY, _worth_in_pieces(level)
        divided = cut > inside
        inside = np.maximum(inside, cut)
        whole = (worth > 0) & (worth >= inside)
        decided.append((whole, divided & ~whole))
        if lighter is not None:
            inside = np.bincount(level.parents, np.where(whole, worth, inside), len(lighter.quality))
    return decided


def _worth_in_pieces(level: Candidates) -> np.ndarray:
    if level.pieces is None:
        return np.zeros(len(level.quality))
    worth = np.maximum(level.pieces.quality - LEAST_QUALITY, 0)
    return np.bincount(level.pieces.of, worth, len(level.quality))


def _paint(labels: np.ndarray, regions: np.ndarray, chosen: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Number the `chosen` (n,) of `regions` (h, w) in `labels`, on from those there; the quality of the chosen."""
    if chosen.any():
        numbers = np.zeros(len(chosen) + 1, np.int32)
        numbers[1:] = (np.cumsum(chosen) + labels.max()) * chosen
        np.add(labels, numbers[regions], out=labels)
    return quality[chosen]
