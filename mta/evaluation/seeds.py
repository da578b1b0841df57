"""One AUC, or one difference, from several seeds of a model tested on the same patients.

Seeds are to patients what readers are to cases: crossed random effects. The variance of the mean over seeds is that
of Obuchowski & Rockette (Communications in Statistics 1995), the degrees of freedom those of Hillis (Statistics in
Medicine 2007), the covariances from a jackknife over patients. Replicates of one test set are never taken for
independent observations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from data_prep.errors import InputError
from mta.evaluation.bootstrap import cluster_strata
from mta.evaluation.checks import labelled, require_two_patients
from mta.evaluation.intervals import LEVEL, Interval
from mta.evaluation.jackknife import influence, leave_one_out_auc
from mta.evaluation.scores import auc


@dataclass(frozen=True)
class SeedSummary:
    """Mean over seeds with its 95 % interval for new seeds and new patients.

    `between_seeds` is the variance that seeds alone cause, `between_patients` the one that a new set of as many
    patients would cause in all seeds alike, `degrees` those of the t distribution, `values` (seeds,) one value a seed.
    """

    mean: float
    interval: Interval
    se: float
    degrees: float
    between_seeds: float
    between_patients: float
    values: tuple[float, ...]


def across_seeds(
    labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike, baseline: ArrayLike | None = None
) -> SeedSummary:
    """The AUC over seeds, or its difference to a baseline of the same seeds.

    `labels` (rows,) in {0, 1, -1 = left out}, `scores` and `baseline` (seeds, rows), `clusters` (rows,). Raises
    `InputError` for fewer than two seeds or patients, scores that are not finite, one class only.
    """
    values, left_out, strata = _measure(labels, scores, clusters)
    if baseline is not None:
        others = _measure(labels, baseline, clusters)
        if len(others[0]) != len(values):
            raise InputError(f"{len(values)} seeds against {len(others[0])} of the baseline; pair them seed by seed")
        values, left_out = values - others[0], left_out - others[1]
    return _summary(values, _covariance(left_out, strata))


def _measure(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The AUC of each seed (seeds,), without each patient (seeds, patients), and the patients' strata."""
    patients = np.ravel(clusters)[np.ravel(labels) >= 0]
    rows = [labelled(labels, score) for score in np.atleast_2d(np.asarray(scores))]
    if len(rows) < 2:
        raise InputError("one seed; what seeds vary by needs two or more")
    require_two_patients(patients)
    values = np.array([auc(*row) for row in rows])
    return values, np.array([leave_one_out_auc(*row, patients) for row in rows]), cluster_strata(rows[0][0], patients)


def _covariance(left_out: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Covariance over patients (seeds, seeds) by the stratified jackknife."""
    parts = np.array([influence(values, strata) for values in left_out])
    sizes = np.bincount(strata)[strata]
    return np.asarray((parts * sizes / np.maximum(sizes - 1, 1)) @ parts.T)


def _summary(values: np.ndarray, covariance: np.ndarray) -> SeedSummary:
    seeds = len(values)
    own = float(np.trace(covariance) / seeds)
    shared = float((covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1)))
    square = float(values.var(ddof=1))
    between = max(shared, 0.0)
    se = float(np.sqrt(square / seeds + between))
    degrees = (square + seeds * between) ** 2 / (square**2 / (seeds - 1)) if square else float("inf")
    half = float(t.ppf((1 + LEVEL) / 2, degrees)) * se
    mean = float(values.mean())
    alone = max(square - own + shared, 0.0)
    return SeedSummary(mean, (mean - half, mean + half), se, degrees, alone, between, tuple(values.tolist()))
