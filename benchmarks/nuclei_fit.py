"""Fit the two formulas of the classical segmenter to true nuclei, and count with other weights than those built in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import cv2
import numpy as np

from benchmarks.nuclei_truth import Case
from data_prep.nuclei import classical, roundness, segment
from data_prep.nuclei import quality as formula
from data_prep.nuclei.chromatin import Chromatin, chromatin
from data_prep.nuclei.classical import kinds, measure
from data_prep.nuclei.combining import fill
from data_prep.nuclei.levels import Level
from data_prep.nuclei.rays import Outlines, find_outlines

ROUNDS = 4


@dataclass(frozen=True)
class Row:
    """Of one image: traits (n, 9) of its candidate regions and their overlap (n,) with the truth, and those of its
    outlines, (m, 10) and (m,)."""

    traits: np.ndarray
    overlap: np.ndarray
    outline_traits: np.ndarray
    outline_overlap: np.ndarray


@dataclass(frozen=True)
class Weights:
    """Of regions (9,) and of outlines (11,), with the R2 of each prediction."""

    regions: np.ndarray
    outlines: np.ndarray
    r2: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def built_in(self) -> Iterator[None]:
        """`segment` uses these."""
        with (
            patch.object(formula, "WEIGHTS", tuple(self.regions)),
            patch.object(roundness, "OUTLINE_WEIGHTS", tuple(self.outlines)),
        ):
            yield


Table = list[Row]


def table(some: list[Case], mpp: float) -> Table:
    """The candidates of each case."""
    return [_row(case, mpp) for case in some]


def _row(case: Case, mpp: float) -> Row:
    maps = chromatin(case.image, mpp)
    truth = _at(case.truth, maps.density.shape)
    regions = [one for level, growth, _, split in measure(maps) for one in kinds(level, growth, split)]
    traits = np.concatenate([formula.describe(level, growth) for level, growth in regions])
    overlap = np.concatenate([best_overlap(level, truth) for level, _ in regions])
    fit = formula.is_fit(traits)
    outlines = find_outlines(maps.density, least_votes=-np.inf)  # the formula is fitted to poor ones as well
    return Row(
        traits[fit],
        overlap[fit],
        roundness.describe_outlines(outlines, maps),
        best_overlap_of_outlines(outlines, truth),
    )


def _at(truth: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(truth.astype(np.int32), shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def best_overlap(level: Level, truth: np.ndarray) -> np.ndarray:
    """For each region (n,) the largest intersection over union with a nucleus of `truth`."""
    regions, nuclei = len(level.area) + 1, int(truth.max()) + 1
    both = np.bincount(level.labels.ravel() * nuclei + truth.ravel(), minlength=regions * nuclei)
    both = both.reshape(regions, nuclei)
    either = both.sum(1)[1:, None] + both.sum(0)[None, 1:] - both[1:, 1:]
    return (both[1:, 1:] / np.maximum(either, 1)).max(1, initial=0)


def best_overlap_of_outlines(outlines: Outlines, truth: np.ndarray) -> np.ndarray:
    """The same (n,) for outlines, which may overlap."""
    areas = np.bincount(truth.ravel())
    best = np.zeros(len(outlines.seeds))
    for n, (x, y) in enumerate(zip(*outlines.points(), strict=True)):
        place, inside = fill(x, y, truth.shape)
        both = np.bincount(truth[place][inside], minlength=len(areas))
        best[n] = (both / np.maximum(areas + inside.sum() - both, 1))[1:].max(initial=0)
    return best


def fit(tables: list[Table]) -> Weights:
    """Weights by least squares, the tables weighing equally; the usual nucleus is that of the weights of regions."""
    weights = np.array(formula.WEIGHTS)
    shares = [(row.traits, row.overlap) for one in tables for row in one]
    for _ in range(ROUNDS):
        with patch.object(formula, "WEIGHTS", tuple(weights)):
            nuclei = [formula.usual(traits) for traits, _ in shares]
        terms = [formula.compare(traits, nucleus) for (traits, _), nucleus in zip(shares, nuclei, strict=True)]
        weights, r2 = _solve(terms, [overlap for _, overlap in shares], tables)
    with patch.object(formula, "WEIGHTS", tuple(weights)):
        nuclei = [formula.usual(traits) for traits, _ in shares]
    rows = [row for one in tables for row in one]
    terms = [roundness.relate(row.outline_traits, nucleus) for row, nucleus in zip(rows, nuclei, strict=True)]
    outlines, outline_r2 = _solve(terms, [row.outline_overlap for row in rows], tables)
    return Weights(weights, outlines, (r2, outline_r2))


def _solve(terms: list[np.ndarray], overlaps: list[np.ndarray], tables: list[Table]) -> tuple[np.ndarray, float]:
    of_table = np.repeat(np.arange(len(tables)), [len(one) for one in tables])
    owner = np.repeat(of_table, [len(own) for own in overlaps])
    weight = (1 / np.bincount(owner))[owner]
    root, overlap, all_terms = np.sqrt(weight), np.concatenate(overlaps), np.concatenate(terms)
    weights = np.linalg.lstsq(all_terms * root[:, None], overlap * root, rcond=None)[0]
    residual = weight @ (all_terms @ weights - overlap) ** 2
    return weights, float(1 - residual / (weight @ (overlap - np.average(overlap, weights=weight)) ** 2))


def counts(some: list[Case], mpp: float, weights: Weights) -> np.ndarray:
    """(n, 2): the counts by `segment` with these weights, and the true ones."""
    with weights.built_in():
        return np.array([(segment(case.image, mpp).max(), case.count) for case in some])


def best_counts(some: list[Case], mpp: float) -> np.ndarray:
    """(n, 2): the counts where each candidate is rated by its overlap with the truth, and the true ones."""
    return np.array([(_best_count(case, mpp), case.count) for case in some])


def _best_count(case: Case, mpp: float) -> int:
    def rate(regions: list[tuple[Level, np.ndarray]]) -> tuple[list[np.ndarray], np.ndarray]:
        truth = _at(case.truth, regions[0][0].labels.shape)
        return [best_overlap(level, truth) for level, _ in regions], np.array(formula.USUAL)

    def rate_outlines(outlines: Outlines, maps: Chromatin, _: np.ndarray) -> np.ndarray:
        return best_overlap_of_outlines(outlines, _at(case.truth, maps.density.shape))

    with patch.object(classical, "rate", rate), patch.object(classical, "rate_outlines", rate_outlines):
        return int(segment(case.image, mpp).max())
