"""Is the centre gone? What fresh probes still find of it in frozen features."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from mta.explain.class_probe import class_facts
from mta.explain.classifying import BALANCED, LOGISTIC, NETWORK, fit_classifier
from mta.explain.clustered import accuracies
from mta.explain.cohort import HELD_OUT, Cohort
from mta.explain.facts import Fact
from mta.explain.site import Settings, Site

KINDS = {"logistic": LOGISTIC, "network": NETWORK}
_RATES = ("accuracy", "balanced_accuracy")


def domain_probes(site: Site, settings: Settings) -> Iterator[dict[str, Any]]:
    """For a logistic regression and a small network: how well a fresh probe tells the centre of held-out patients.

    Probes are fitted to training rows and scored on the rows whose role is `held_out`. Beside chance and the most
    frequent centre stands `by_class`, the balanced accuracy of knowing the class alone: a classifier has to
    know the class, and where that goes with the centre, something of the centre with it.

    Raises:
        InputError: when there are fewer patients than folds.
    """
    for name, kind in KINDS.items():
        facts = {fact.measure: fact for fact in class_facts(site, "centre", settings, kind) if fact.role == HELD_OUT}
        if facts:
            yield {
                "layer": site.layer,
                "probe": name,
                **{key: value for rate in _RATES for key, value in _rate(rate, facts[rate]).items()},
                "chance": facts["chance"].value,
                "majority": facts["majority"].value,
                "by_class": by_class(site),
                "rows": facts["chance"].rows,
                "patients": facts["chance"].patients,
            }


def _rate(name: str, fact: Fact) -> dict[str, Any]:
    return {
        name: fact.value,
        f"{name}_interval": [fact.low, fact.high],
        f"{name}_shuffled": [fact.null_low, fact.null_high],
        f"{name}_p": fact.p,
    }


def by_class(site: Site) -> float:
    """The balanced accuracy on held-out rows of the most frequent centre of their class in training."""
    cohort = site.cohort
    trained, tested = cohort.of("train") & (cohort.centres != ""), of_training_centres(cohort)
    likeliest = {}
    for label in np.unique(cohort.labels):
        names, counts = np.unique(cohort.centres[trained & (cohort.labels == label)], return_counts=True)
        likeliest[label] = names[counts.argmax()] if len(names) else ""
    guessed = np.array([likeliest[label] for label in cohort.labels[tested]])
    return accuracies(cohort.centres[tested], guessed, cohort.patients[tested])["balanced_accuracy"][0]


def of_training_centres(cohort: Cohort) -> np.ndarray:
    """Whether each row (n,) is held out and its centre is that of a training row."""
    known = np.unique(cohort.centres[cohort.of("train")])
    return cohort.of(HELD_OUT) & np.isin(cohort.centres, known) & (cohort.centres != "")


def distances(site: Site, folds: int) -> Iterator[dict[str, Any]]:
    """Proxy A-distances 2 (1 - 2 e) of pairs of training centres, and of the external rows from all of these.

    e is the balanced error of a logistic regression on patients that it was not fitted to (Ben-David et al. 2006): 0
    where centres cannot be told apart, 2 where they always can; below 0 is chance. Pairs without two patients to fit
    to, or without held-out rows of both, are None.
    """
    cohort = site.cohort
    centres = np.unique(cohort.centres[cohort.of("train") & (cohort.centres != "")])
    for a, b in combinations(map(str, centres), 2):
        yield {"layer": site.layer, "a": a, "b": b, **_pair(site, a, b, folds)}
    if cohort.of("external_test").any():
        yield {"layer": site.layer, "a": "training centres", "b": "external", **_outside(site, folds)}


def _pair(site: Site, a: str, b: str, folds: int) -> dict[str, Any]:
    cohort = site.cohort
    both = np.isin(cohort.centres, [a, b])
    fitted, tested = both & cohort.of("train"), both & cohort.of(HELD_OUT)
    folds = min(folds, len(np.unique(cohort.patients[fitted])))
    if folds < 2 or len(np.unique(cohort.centres[tested])) < 2:
        return _distance(None, None, None)
    probe = fit_classifier(site.activations[fitted], cohort.centres[fitted], cohort.patients[fitted], BALANCED, folds)
    return _distance(cohort.centres[tested], probe.predict(site.activations[tested]), cohort.patients[tested])


def _outside(site: Site, folds: int) -> dict[str, Any]:
    """Held-out rows of training centres against external ones: cross-validated, as training has none of these."""
    cohort = site.cohort
    rows = np.flatnonzero(of_training_centres(cohort) | cohort.of("external_test"))
    names, patients, features = cohort.roles[rows], cohort.patients[rows], site.activations[rows]
    least = min((len(np.unique(patients[names == name])) for name in np.unique(names)), default=0)
    folds = min(folds, least)
    if folds < 2 or len(np.unique(names)) < 2:
        return _distance(None, None, None)
    told = names.copy()
    # Folds with other shares of the two than the rest would be told wrong more often than by chance.
    for inside, outside in StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(features, names, patients):
        if len(np.unique(names[inside])) > 1:
            probe = fit_classifier(features[inside], names[inside], patients[inside], BALANCED, 2)
            told[outside] = probe.predict(features[outside])
        else:
            told[outside] = names[inside][0]
    return _distance(names, told, patients)


def _distance(true: np.ndarray | None, told: np.ndarray | None, patients: np.ndarray | None) -> dict[str, Any]:
    if true is None or told is None or patients is None:
        return {"distance": None, "interval": [None, None], "rows": 0, "patients": 0}
    value, (low, high) = accuracies(true, told, patients)["balanced_accuracy"]
    scaled = [2 * (1 - 2 * (1 - rate)) for rate in (value, low, high)]
    counts = {"rows": len(true), "patients": len(np.unique(patients))}
    return {"distance": scaled[0], "interval": scaled[1:], **counts}
