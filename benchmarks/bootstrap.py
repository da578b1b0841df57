"""Time of the patient-clustered bootstrap, beside a plain loop that calls scikit-learn.

Run `OMP_NUM_THREADS=1 python benchmarks/bootstrap.py` (one core). Rounds are interleaved and medians reported.
"""

import resource
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from mta.evaluation import clustered_bootstrap, paired_difference
from mta.evaluation.bootstrap import RESAMPLES, cluster_strata, resample_counts

ROUNDS = 5
LOOP_RESAMPLES = 100


def make_case(rows, patients):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, rows)
    return labels, labels + generator.normal(0, 1.5, rows), generator.integers(0, patients, rows)


def paired(labels, scores, clusters):
    paired_difference(labels, scores, -scores, clusters)


def loop(labels, scores, clusters):
    """The same resampling written as a loop over resamples."""
    names = np.unique(clusters)
    members = [np.flatnonzero(clusters == name) for name in names]
    for row in next(resample_counts(cluster_strata(labels, clusters), LOOP_RESAMPLES, 0, LOOP_RESAMPLES)):
        chosen = np.concatenate([members[k] for k in np.repeat(np.arange(len(names)), row)])
        roc_auc_score(labels[chosen], scores[chosen])


def seconds(work, case):
    start = time.perf_counter()
    work(*case)
    return time.perf_counter() - start


def alone(rows):
    """Seconds with as many patients as rows."""
    labels, scores, _ = make_case(rows, rows)
    return seconds(clustered_bootstrap, (labels, scores, np.arange(rows)))


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def main():
    before = peak_mb()
    for rows in (20_000, 200_000):
        print(f"{rows:7,} predictions, each of its own patient: interval {alone(rows):.1f} s")
    print(f"        all this in {peak_mb() - before:.0f} MB of memory, data included")
    for rows, patients in [(4_000, 50), (4_000, 4_000), (50_000, 200)]:
        case = make_case(rows, patients)
        rounds = [[seconds(work, case) for work in (clustered_bootstrap, paired, loop)] for _ in range(ROUNDS)]
        interval, both, slow = np.median(rounds, axis=0)
        slow *= RESAMPLES / LOOP_RESAMPLES
        print(
            f"{rows:6,} predictions of {patients:5,} patients, {RESAMPLES:,} resamples: interval {interval:.2f} s, "
            f"paired {both:.2f} s; loop {slow:.1f} s ({slow / interval:.0f}x, from {LOOP_RESAMPLES} resamples)"
        )


if __name__ == "__main__":
    main()
