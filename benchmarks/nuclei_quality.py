"""Derive the weights of `data_prep.nuclei.quality` on the tuning halves, and see whether they carry over.

    python -m benchmarks.nuclei_quality DATA

For each region and piece of each level the best intersection over union with a true nucleus is what the formula is to
predict; the three data sets weigh equally. Then the weights of every two data sets are tried on the third.
"""

import sys
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np

from benchmarks.nuclei_truth import MPP, Case, cases
from data_prep.nuclei import quality as formula
from data_prep.nuclei import segment
from data_prep.nuclei.chromatin import WORKING_MPP
from data_prep.nuclei.classical import measure
from data_prep.nuclei.levels import Level

Table = tuple[np.ndarray, np.ndarray]


def table(some: list[Case], mpp: float) -> Table:
    """The terms (n, 8) of all candidate regions and their overlap (n,) with the truth."""
    terms, overlaps = [], []
    for case in some:
        for level, growth, _, split in measure(case.image, mpp):
            truth = _at(case.truth, level.labels.shape)
            kinds = [(level, growth)] + ([(split.pieces, growth[split.of])] if split else [])
            for regions, grown in kinds:
                area = regions.area * WORKING_MPP**2
                fit = (area > formula.SMALLEST) & (area < formula.LARGEST)
                terms.append(formula.describe(regions, grown)[fit])
                overlaps.append(best_overlap(regions, truth)[fit])
    return np.concatenate(terms), np.concatenate(overlaps)


def _at(truth: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(truth.astype(np.int32), shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def best_overlap(level: Level, truth: np.ndarray) -> np.ndarray:
    """For each region (n,) the largest intersection over union with a nucleus of `truth`."""
    regions, nuclei = len(level.area) + 1, int(truth.max()) + 1
    both = np.bincount(level.labels.ravel() * nuclei + truth.ravel(), minlength=regions * nuclei)
    both = both.reshape(regions, nuclei)
    either = both.sum(1)[1:, None] + both.sum(0)[None, 1:] - both[1:, 1:]
    return (both[1:, 1:] / np.maximum(either, 1)).max(1, initial=0)


def fit(tables: list[Table]) -> tuple[np.ndarray, float]:
    """Weights (8,) by least squares, the tables weighing equally, and the R2 of the prediction."""
    terms, overlap = (np.concatenate([table[part] for table in tables]) for part in (0, 1))
    weight = np.concatenate([np.full(len(overlap), 1 / len(overlap)) for _, overlap in tables])
    root = np.sqrt(weight)
    weights = np.linalg.lstsq(terms * root[:, None], overlap * root, rcond=None)[0]
    residual = weight @ (terms @ weights - overlap) ** 2
    return weights, float(1 - residual / (weight @ (overlap - np.average(overlap, weights=weight)) ** 2))


def correlation(some: list[Case], mpp: float, weights: np.ndarray) -> float:
    """Of the counts by `segment` with these weights and the true ones."""
    with patch.object(formula, "WEIGHTS", tuple(weights)):
        counts = [segment(case.image, mpp).max() for case in some]
    return float(np.corrcoef(counts, [case.count for case in some])[0, 1])


def main() -> None:
    cv2.setNumThreads(1)
    tuning = {name: list(cases(Path(sys.argv[1]), name, "tuning")) for name in MPP}
    tables = {name: table(some, MPP[name]) for name, some in tuning.items()}
    weights, r2 = fit(list(tables.values()))
    print(f"weights {weights.round(3).tolist()}, R2 {r2:.2f} over {sum(len(o) for _, o in tables.values())} regions")
    for name, some in tuning.items():
        others, _ = fit([one for other, one in tables.items() if other != name])
        own, foreign = (correlation(some, MPP[name], w) for w in (weights, others))
        print(f"{name:8} count r {own:.3f} with all weights, {foreign:.3f} with those of the other two data sets")


if __name__ == "__main__":
    main()
