"""What a probed layer costs beside scikit-learn, and how often intervals of R2 hold the truth: `-m benchmarks.probes`.

Times: CPU seconds for 2,400 training rows of 40 patients, four concepts and 100 shuffles of each; scikit-learn's grid
search over the same penalties and folds does one fit of one concept, and would have to do 404. Coverage: predictions
that differ from the truth (sd 1) by noise (sd 1) and an effect of the patient (sd 0.5), ten rows a patient.
"""

import argparse
import time

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold

from mta.explain.class_probe import class_facts
from mta.explain.clustered import r2_interval
from mta.explain.cohort import Cohort
from mta.explain.concept_probe import fit_concepts
from mta.explain.ridge import PENALTIES
from mta.explain.site import Settings, Site

PATIENTS, ROWS, CONCEPTS, BETWEEN = 40, 60, 4, 0.5
TRUTH = -(BETWEEN**2)  # 1 - (1 + BETWEEN^2) / 1


def layer(width: int) -> Site:
    """Rectified activations of 64 factors; concepts are half noise, centres an offset of a few activations."""
    generator, count = np.random.default_rng(0), 2 * PATIENTS * ROWS
    patient = np.repeat(np.arange(2 * PATIENTS), ROWS)
    factors = generator.normal(size=(count, 64)) @ generator.normal(size=(64, width)) / 8
    values = np.maximum(factors + generator.normal(0, 0.5, (count, width)), 0)
    values[:, :4] += 0.5 * np.eye(4)[patient % 4]
    held = values @ generator.normal(size=(width, CONCEPTS))
    concepts = held + generator.normal(size=held.shape) * held.std(axis=0)
    cohort = Cohort(
        np.arange(count),
        np.where(patient < PATIENTS, "train", "internal_test"),
        patient.astype(str),
        np.where(generator.random(count) < 0.5, "tumor", "normal"),
        (patient % 4).astype(str),
        {f"c{number}": concepts[:, number] for number in range(CONCEPTS)},
    )
    return Site("run", "layer", cohort, values.astype("float32"), None)


def cpu_seconds(work) -> float:
    """The processor time of `work()`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def grid_search(site: Site) -> None:
    """One concept, unshuffled, by scikit-learn: the same penalties and folds."""
    rows = site.cohort.of("train")
    grid = {"alpha": [penalty * rows.sum() for penalty in PENALTIES]}
    search = GridSearchCV(Ridge(), grid, cv=GroupKFold(5), scoring="neg_mean_squared_error")
    search.fit(
        site.activations[rows].astype(float), site.cohort.concepts["c0"][rows], groups=site.cohort.patients[rows]
    )


def costs(width: int) -> str:
    """A line of the table."""
    site = layer(width)
    ours = cpu_seconds(lambda: fit_concepts(site, list(site.cohort.concepts), Settings()))
    theirs = cpu_seconds(lambda: grid_search(site))
    classes = [cpu_seconds(lambda name=name: list(class_facts(site, name, Settings()))) for name in ("centre", "tumor")]
    return f"{width:>6} {ours:>22.1f} {theirs:>26.1f} {classes[0]:>8.1f} {classes[1]:>8.1f}"


def coverage(patients: int, runs: int) -> float:
    """The share of intervals that hold the R2 of the population."""
    generator, patient, held = np.random.default_rng(patients), np.repeat(np.arange(patients), 10), 0
    for _ in range(runs):
        true = generator.normal(size=len(patient))
        error = generator.normal(0, BETWEEN, patients)[patient] + generator.normal(size=len(patient))
        low, high = r2_interval(true, true + error, patient)
        held += low <= TRUTH <= high
    return held / runs


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="simulated tests for the coverage")
    arguments = parser.parse_args()
    heads = f"{'width':>6} {'4 concepts, 404 fits':>22} {'scikit-learn, one fit':>26} {'centre':>8} {'tumor':>8}"
    print(f"{heads}  CPU seconds")
    for width in (256, 2048):
        print(costs(width), flush=True)
    for patients in (5, 10, 20, 40):
        print(f"{patients} patients: {coverage(patients, arguments.runs):.1%} of the intervals of R2 hold the truth")
