"""How well classes and centres can be told from a layer by a logistic regression, on patients that it has not seen."""

from collections.abc import Iterator

import numpy as np

from mta.evaluation.bootstrap import clustered_bootstrap
from mta.evaluation.intervals import NOTHING
from mta.evaluation.scores import auc
from mta.explain.classifying import LOGISTIC, Classifier, Kind, fit_classifier
from mta.explain.clustered import accuracies
from mta.explain.facts import Fact
from mta.explain.shuffling import shuffled_columns
from mta.explain.site import Settings, Site

TARGETS = ("tumor", "centre")


def class_facts(site: Site, target: str, settings: Settings, kind: Kind = LOGISTIC) -> Iterator[Fact]:
    """Of `target`, `tumor` or `centre`, and each test role: accuracies, chance, majority, and the AUC of tumors.

    Rows without a label, or whose centre is in no training row, are left out. The null is that of the names of the
    scored rows, shuffled by patient: the probe stays as it is. Nothing where training has one class only.

    Raises:
        InputError: when there are fewer patients than folds.
    """
    cohort = site.cohort
    names = cohort.labels if target == "tumor" else cohort.centres
    fitted = cohort.of("train") & (names != "")
    classes = np.unique(names[fitted])
    if len(classes) < 2:
        return
    probe = fit_classifier(site.activations[fitted], names[fitted], cohort.patients[fitted], kind, settings.folds)
    for role in cohort.tests:
        rows = cohort.of(role) & np.isin(names, classes)
        if rows.any():
            yield from _accuracy_facts(site, target, role, rows, names[rows], probe, settings)
            yield site.fact(target, role, "chance", 1 / len(classes), cohort.patients[rows])
            if target == "tumor":
                yield _auc_fact(site, role, rows, names[rows] == "tumor", probe, settings)


def _accuracy_facts(
    site: Site, target: str, role: str, rows: np.ndarray, true: np.ndarray, probe: Classifier, settings: Settings
) -> Iterator[Fact]:
    patients, predicted = site.cohort.patients[rows], probe.predict(site.activations[rows])
    shuffled = shuffled_columns(true, patients, settings.shuffles, settings.seed).T
    null = [accuracies(one, predicted, patients) for one in shuffled]
    for measure, (value, interval) in accuracies(true, predicted, patients).items():
        yield site.fact(target, role, measure, value, patients, interval, np.array([one[measure][0] for one in null]))
    majority = float(np.unique(true, return_counts=True)[1].max() / len(true))
    yield site.fact(target, role, "majority", majority, patients)


def _auc_fact(
    site: Site, role: str, rows: np.ndarray, labels: np.ndarray, probe: Classifier, settings: Settings
) -> Fact:
    patients, scores = site.cohort.patients[rows], probe.score(site.activations[rows])
    shuffled = shuffled_columns(labels, patients, settings.shuffles, settings.seed).T
    several = len(np.unique(patients)) > 1
    interval = clustered_bootstrap(labels.astype(int), scores, patients, method="t") if several else NOTHING
    null = np.array([auc(one.astype(int), scores) for one in shuffled])
    return site.fact("tumor", role, "auc", auc(labels.astype(int), scores), patients, interval, null)
