"""Classes and centres are told where they are in a layer, and at chance where they are not."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from mta.explain.class_probe import class_facts
from mta.explain.classifying import LOGISTIC, NETWORK, fit_classifier
from mta.explain.site import Settings
from tests.mta.explain.sites import cohort, site, value_of

SETTINGS = Settings(folds=3, shuffles=39)
ROWS = cohort(centres=3)
COUNT = len(ROWS.rows)
GENERATOR = np.random.default_rng(0)
NOISE = GENERATOR.normal(size=(COUNT, 8))


def with_signal(names, strength):
    values = NOISE.copy()
    _, codes = np.unique(names, return_inverse=True)
    values[:, :3] += strength * np.eye(3)[codes]
    return site(ROWS, values)


def test_a_layer_that_tells_the_class():
    facts = list(class_facts(with_signal(ROWS.labels, 2.0), "tumor", SETTINGS))
    auc = value_of(facts, "auc")
    assert 0.9 < auc.low < auc.value < auc.high < 1
    assert auc.p == 1 / 40
    assert 0.3 < auc.null_low < auc.null_high < 0.7
    assert value_of(facts, "accuracy").value > 0.85
    assert value_of(facts, "chance").value == 0.5


def test_a_layer_that_tells_the_centre():
    facts = list(class_facts(with_signal(ROWS.centres, 4.0), "centre", SETTINGS))
    fact = value_of(facts, "balanced_accuracy")
    assert fact.value > 0.9
    assert fact.null_high < fact.value
    assert value_of(facts, "chance").value == pytest.approx(1 / 3)
    assert value_of(facts, "majority").value == pytest.approx(1 / 3)


@pytest.mark.parametrize("target", ["tumor", "centre"])
def test_noise_is_at_chance(target):
    facts = list(class_facts(site(ROWS, NOISE), target, SETTINGS))
    fact, chance = value_of(facts, "balanced_accuracy"), value_of(facts, "chance").value
    assert abs(fact.value - chance) < 0.1
    assert fact.p > 0.05


def test_centres_that_training_does_not_know_are_left_out():
    rows = cohort(centres=3)
    rows.centres[(rows.centres == "c2") & rows.of("train")] = ""
    place = site(rows, with_signal(ROWS.centres, 4.0).activations)
    fact = value_of(class_facts(place, "centre", SETTINGS), "accuracy")
    assert (fact.rows, fact.patients) == (160, 8)


def test_one_centre_says_nothing():
    assert list(class_facts(site(cohort(centres=1), NOISE), "centre", SETTINGS)) == []


def test_the_fit_is_that_of_scikit_learn():
    features = with_signal(ROWS.labels, 1.0).activations
    train, test = ROWS.of("train"), ROWS.of("internal_test")
    probe = fit_classifier(features[train], ROWS.labels[train], ROWS.patients[train], LOGISTIC, 3)
    scaler = StandardScaler().fit(features[train].astype(float))
    model = LogisticRegression(C=1 / (probe.penalty * train.sum()), tol=1e-6, max_iter=2000)
    model.fit(scaler.transform(features[train].astype(float)), ROWS.labels[train])
    expected = model.predict_proba(scaler.transform(features[test].astype(float)))[:, 1]
    np.testing.assert_allclose(probe.score(features[test]), expected, atol=2e-3)
    labels = ROWS.labels[test] == "tumor"
    place = site(ROWS, features)
    assert value_of(class_facts(place, "tumor", SETTINGS), "auc").value == pytest.approx(
        roc_auc_score(labels, probe.score(features[test]))
    )


def test_a_network_tells_what_no_line_does():
    """Two centres by the sign of a product."""
    rows = cohort(patients=20)
    features = np.random.default_rng(3).normal(size=(len(rows.rows), 4))
    names = np.where(features[:, 0] * features[:, 1] > 0, "a", "b")
    train, test = rows.of("train"), rows.of("internal_test")
    right = {}
    for kind in (LOGISTIC, NETWORK):
        probe = fit_classifier(features[train], names[train], rows.patients[train], kind, 3)
        right[kind] = (probe.predict(features[test]) == names[test]).mean()
    assert right[LOGISTIC] < 0.6 < 0.85 < right[NETWORK]
