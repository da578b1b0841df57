"""What a layer holds of the concepts: a ridge regression from its activations to each, and the directions of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mta.explain.cohort import Cohort
from mta.explain.ridge import Ridge, RidgeFit, choose_penalties, unit
from mta.explain.shuffling import shuffled_columns
from mta.explain.site import Settings, Site


@dataclass(frozen=True)
class ConceptProbe:
    """A concept in a layer; the first column of each array is of the true values, the others of shuffled ones.

    Attributes:
        ridge: the regressions, each with the penalty of its own choice.
        vectors: (width, 1 + shuffles) unit concept vectors: the weights, all with the penalty of the true concept
            (Graziani et al. 2018).
        patterns: (width, 1 + shuffles) what the activations gain, on average, with a standard deviation of the concept:
            their covariance with it over its deviation (Haufe et al. 2014). Weights cancel what else moves the
            activations, and may point where these hardly ever go; patterns point where they go.
    """

    ridge: Ridge
    vectors: np.ndarray
    patterns: np.ndarray


def fit_concepts(site: Site, names: Sequence[str], settings: Settings) -> dict[str, ConceptProbe]:
    """The probe of each concept in `names`, fitted to the training rows that know it.

    Values are shuffled by patient, in the same way for every layer, run and concept, so that what is compared differs
    in nothing else.

    Raises:
        InputError: when there are fewer patients than folds.
    """
    probes: dict[str, ConceptProbe] = {}
    for group in _alike(site.cohort, names):
        rows = site.cohort.of("train") & np.isfinite(site.cohort.concepts[group[0]])
        patients, activations = site.cohort.patients[rows], site.activations[rows]
        columns = [_with_shuffles(site.cohort.concepts[name][rows], patients, settings) for name in group]
        probes |= dict(zip(group, _fit(activations, columns, patients, settings.folds), strict=True))
    return {name: probes[name] for name in names}


def _fit(
    activations: np.ndarray, columns: Sequence[np.ndarray], patients: np.ndarray, folds: int
) -> list[ConceptProbe]:
    """A probe for each array (n, 1 + shuffles) of `columns`, from one decomposition."""
    targets, size = np.concatenate(columns, axis=1), columns[0].shape[1]
    penalties, fit = choose_penalties(activations, targets, patients, folds), RidgeFit(activations, targets)
    ridge, vectors = fit.ridge(penalties), unit(fit.weights(np.repeat(penalties[::size], size)))
    centred = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    patterns = (activations - activations.mean(axis=0)).T @ centred / len(targets)
    parts = [slice(start, start + size) for start in range(0, targets.shape[1], size)]
    return [
        ConceptProbe(
            Ridge(ridge.weights[:, part], ridge.intercepts[part], penalties[part]), vectors[:, part], patterns[:, part]
        )
        for part in parts
    ]


def _alike(cohort: Cohort, names: Sequence[str]) -> list[list[str]]:
    """`names` grouped by the training rows that know them, which share one decomposition."""
    groups: dict[bytes, list[str]] = {}
    for name in names:
        known = np.isfinite(cohort.concepts[name][cohort.of("train")])
        groups.setdefault(known.tobytes(), []).append(name)
    return list(groups.values())


def _with_shuffles(values: np.ndarray, patients: np.ndarray, settings: Settings) -> np.ndarray:
    return np.column_stack([values, shuffled_columns(values, patients, settings.shuffles, settings.seed)])
