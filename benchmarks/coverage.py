"""How often 95 % intervals of the AUC hold the truth, on simulated patients: `python -m benchmarks.coverage`.

Scores are binormal with a normal effect of the patient: a patch scores SHIFT if tumor, plus its patient's effect
(sd BETWEEN), plus noise (sd 1). The AUC of patches of two patients is then Phi(SHIFT / sqrt(2 (BETWEEN^2 + 1))).
Half of the patients have normal patches only; the others are tumor through and through, or half, in turn.
"""

import argparse
import time

import numpy as np
from scipy.stats import norm

from mta.evaluation import auc, clustered_bootstrap, paired_difference

SHIFT, BETWEEN, PATCHES = 1.5, 0.7, 10
TRUTH = float(norm.cdf(SHIFT / np.sqrt(2 * (BETWEEN**2 + 1))))
METHODS = ("percentile", "bca", "t", "patches")


def simulate(generator: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and patients, each (patients * PATCHES,)."""
    patient = np.repeat(np.arange(patients), PATCHES)
    kind = np.arange(patients) % 4  # 0 and 2 normal, 1 tumor, 3 both
    labels = np.where(kind[patient] == 3, np.arange(len(patient)) % 2, kind[patient] == 1).astype(int)
    effect = generator.normal(0, BETWEEN, patients)[patient]
    return labels, SHIFT * labels + effect + generator.normal(0, 1, len(patient)), patient


def coverage(patients: int, method: str, runs: int, resamples: int = 1000) -> tuple[float, float]:
    """(share of `runs` whose interval holds the truth, mean width). "patches" resamples patches, not patients."""
    generator, intervals = np.random.default_rng(patients), []
    for run in range(runs):
        labels, scores, patient = simulate(generator, patients)
        if method == "patches":
            interval = patch_bootstrap(labels, scores, resamples, run)
        else:
            interval = clustered_bootstrap(labels, scores, patient, resamples, run, method)  # type: ignore[arg-type]
        intervals.append(interval)
    low, high = np.array(intervals).T
    return float(((low <= TRUTH) & (high >= TRUTH)).mean()), float((high - low).mean())


def paired_coverage(patients: int, method: str, runs: int, resamples: int = 1000) -> tuple[float, float]:
    """`coverage` of the difference, 0, between two models of equal quality that share the patients' effects."""
    generator, intervals = np.random.default_rng(patients), []
    for run in range(runs):
        labels, scores, patient = simulate(generator, patients)
        a, b = scores + generator.normal(0, 1, (2, len(scores))) + generator.normal(0, 0.5, (2, patients))[:, patient]
        intervals.append(paired_difference(labels, a, b, patient, resamples, run, method)[1:])  # type: ignore[arg-type]
    low, high = np.array(intervals).T
    return float(((low <= 0) & (high >= 0)).mean()), float((high - low).mean())


def patch_bootstrap(labels: np.ndarray, scores: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """What the paper's code does: patches drawn with replacement as if they were independent; its percentiles."""
    return clustered_bootstrap(labels, scores, np.arange(len(labels)), resamples, seed)


def main() -> None:
    """Print a row for each number of patients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--patients", type=int, nargs="+", default=[10, 20, 40, 60, 100])
    parser.add_argument("--paired", action="store_true", help="intervals of a difference between two models instead")
    options = parser.parse_args()
    measure, methods = (paired_coverage, METHODS[:3]) if options.paired else (coverage, METHODS)
    large = auc(*simulate(np.random.default_rng(0), 100_000)[:2])
    print(f"true AUC {TRUTH:.4f}; of 100,000 simulated patients {large:.4f}; {options.runs} runs")
    for patients in options.patients:
        start = time.perf_counter()
        cells = [measure(patients, method, options.runs, options.resamples) for method in methods]
        row = "  ".join(
            f"{method} {share:.3f} ({width:.3f})" for method, (share, width) in zip(methods, cells, strict=True)
        )
        print(f"{patients:>4} patients: {row}  [{time.perf_counter() - start:.0f} s]", flush=True)


if __name__ == "__main__":
    main()
