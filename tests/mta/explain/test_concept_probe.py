"""Probes find what was put into a layer, and nothing where there is nothing."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference
from sklearn.metrics import r2_score

from data_prep.errors import InputError
from mta.explain.concept_facts import decodability, difference, use
from mta.explain.concept_probe import fit_concepts
from mta.explain.shuffling import shuffled_columns
from mta.explain.site import Settings
from tests.mta.explain.sites import cohort, site, value_of

SETTINGS = Settings(folds=3, shuffles=39)
COUNT, WIDTH = 480, 10
TEST = "internal_test"
GENERATOR = np.random.default_rng(1)
ACTIVATIONS = GENERATOR.normal(2, 1, (COUNT, WIDTH)).astype("float32")
WEIGHTS = GENERATOR.normal(size=WIDTH)
ROWS = cohort(
    held=ACTIVATIONS @ WEIGHTS * 40 + 300,
    noisy=ACTIVATIONS @ WEIGHTS + GENERATOR.normal(0, np.linalg.norm(WEIGHTS), COUNT),
    random=GENERATOR.normal(size=COUNT),
)


def facts_of(name, rows=ROWS, activations=ACTIVATIONS, gradients=None):
    place = site(rows, activations, gradients)
    probe = fit_concepts(place, [name], SETTINGS)[name]
    return [*decodability(place, name, TEST, probe), *use(place, name, TEST, probe)]


def test_a_concept_that_a_layer_holds_linearly_is_decoded():
    fact = value_of(facts_of("held"), "r2")
    assert fact.value > 0.999
    assert 0.999 < fact.low <= fact.value <= fact.high <= 1
    assert fact.p == 1 / 40
    assert (fact.rows, fact.patients) == (240, 12)
    assert value_of(facts_of("held"), "correlation").value > 0.999


def test_half_of_the_variance_is_half_decoded():
    fact = value_of(facts_of("noisy"), "r2")
    assert 0.35 < fact.low < 0.5 < fact.high < 0.65


def test_a_random_concept_is_not_decoded_and_its_null_is_where_it_is():
    fact = value_of(facts_of("random"), "r2")
    assert abs(fact.value) < 0.1
    assert fact.null_low - 0.05 < fact.value < fact.null_high + 0.05
    assert fact.p > 0.05
    assert -0.2 < fact.null_low < fact.null_high < 0.05


def test_r2_is_that_of_held_out_rows_by_their_own_mean():
    place = site(ROWS, ACTIVATIONS)
    probe = fit_concepts(place, ["noisy"], SETTINGS)["noisy"]
    test = ROWS.of(TEST)
    expected = r2_score(ROWS.concepts["noisy"][test], probe.ridge.predict(ACTIVATIONS[test])[:, 0])
    assert value_of(decodability(place, "noisy", TEST, probe), "r2").value == pytest.approx(expected)


def test_rows_without_the_concept_are_left_out():
    values = ROWS.concepts["held"].copy()
    values[::3] = np.nan
    both = cohort(held=ROWS.concepts["held"], sparse=values, also=values)
    place = site(both, ACTIVATIONS)
    probes = fit_concepts(place, ["sparse", "held", "also"], SETTINGS)
    assert list(probes) == ["sparse", "held", "also"]
    assert value_of(decodability(place, "sparse", TEST, probes["sparse"]), "r2").rows == 160
    assert value_of(decodability(place, "held", TEST, probes["held"]), "r2").rows == 240
    np.testing.assert_allclose(probes["sparse"].ridge.weights, probes["also"].ridge.weights)


def test_training_rows_alone_decide_the_probe():
    changed = {name: np.where(ROWS.of("train"), values, 7.0) for name, values in ROWS.concepts.items()}
    one, other = (fit_concepts(site(rows, ACTIVATIONS), ["held"], SETTINGS) for rows in (ROWS, cohort(**changed)))
    np.testing.assert_array_equal(one["held"].ridge.weights, other["held"].ridge.weights)


def test_sensitivities_of_a_linear_network_are_its_weights():
    """The logit is a(x) . u; along a unit vector v it rises by u . v, on every patch."""
    logit = GENERATOR.normal(size=WIDTH)
    place = site(ROWS, ACTIVATIONS, np.tile(logit, (COUNT, 1)))
    probe = fit_concepts(place, ["held"], SETTINGS)["held"]
    facts = list(use(place, "held", TEST, probe))
    fact = value_of(facts, "sensitivity")
    assert fact.value == pytest.approx(logit @ WEIGHTS / np.linalg.norm(WEIGHTS), rel=1e-3)
    assert fact.low == pytest.approx(fact.value)
    assert value_of(facts, "positive").value == float(fact.value > 0)


def test_relevance_is_what_the_logit_gains_where_activations_go_with_the_concept():
    """Every activation follows the concept with its own strength; along these it is one standard deviation."""
    strength = GENERATOR.uniform(1, 3, WIDTH)
    concept = GENERATOR.normal(size=COUNT)
    values = concept[:, None] * strength + 0.01 * GENERATOR.normal(size=(COUNT, WIDTH))
    logit = GENERATOR.normal(size=WIDTH)
    rows = cohort(held=concept)
    place = site(rows, values, np.tile(logit, (COUNT, 1)))
    probe = fit_concepts(place, ["held"], SETTINGS)["held"]
    deviation = concept[rows.of("train")].std()
    np.testing.assert_allclose(probe.patterns[:, 0], strength * deviation, rtol=1e-2)
    fact = value_of(use(place, "held", TEST, probe), "relevance")
    assert fact.value == pytest.approx(logit @ strength * deviation, rel=1e-2)
    assert fact.null_low < 0 < fact.null_high < abs(fact.value) / 2
    assert fact.p == 1 / 40


def test_the_vectors_of_the_null_have_the_penalty_of_the_concept():
    place = site(ROWS, ACTIVATIONS)
    probe = fit_concepts(place, ["random", "held"], SETTINGS)["held"]
    assert probe.ridge.penalties[0] < probe.ridge.penalties[1:].min()
    shuffled = shuffled_columns(ROWS.concepts["held"][ROWS.of("train")], ROWS.patients[ROWS.of("train")], 39, 0)
    train = ACTIVATIONS[ROWS.of("train")].astype(float)
    alpha = probe.ridge.penalties[0] * len(train) * train.var(axis=0).mean()
    expected = Reference(alpha).fit(train, shuffled[:, 4]).coef_
    np.testing.assert_allclose(probe.vectors[:, 5], expected / np.linalg.norm(expected), atol=1e-6)


def test_a_concept_that_is_used_is_told_from_one_that_is_only_there():
    gradients = np.tile(WEIGHTS, (COUNT, 1)) + GENERATOR.normal(0, 0.1, (COUNT, WIDTH))
    used = value_of(facts_of("held", gradients=gradients), "sensitivity")
    assert used.p == 1 / 40
    assert used.low < used.value < used.high
    assert used.value > used.null_high
    against = value_of(facts_of("held", gradients=-gradients), "sensitivity")
    assert against.value == pytest.approx(-used.value)
    across = np.linalg.svd(WEIGHTS[None])[2][1]  # orthogonal to the concept
    unused = value_of(facts_of("held", gradients=np.tile(across, (COUNT, 1))), "sensitivity")
    assert abs(unused.value) < 0.01
    assert unused.p > 0.5


def test_nothing_is_said_of_use_where_the_logit_does_not_hear():
    assert {fact.measure for fact in facts_of("held")} == {"r2", "correlation"}


def test_a_concept_that_does_not_vary_among_the_tested_is_passed_over():
    flat = cohort(flat=np.where(ROWS.of("train"), ROWS.concepts["held"], 3.0))
    assert facts_of("flat", rows=flat) == []


def test_the_difference_of_two_runs_is_paired():
    better, worse = (site(ROWS, ACTIVATIONS + GENERATOR.normal(0, noise, ACTIVATIONS.shape)) for noise in (0.2, 1.0))
    probes = [fit_concepts(place, ["held"], SETTINGS)["held"] for place in (better, worse)]
    (fact,) = difference(better, worse, "held", TEST, *probes)
    r2 = [
        value_of(decodability(place, "held", TEST, probe), "r2")
        for place, probe in zip((better, worse), probes, strict=True)
    ]
    assert fact.value == pytest.approx(r2[0].value - r2[1].value)
    assert 0 < fact.low < fact.value < fact.high
    (same,) = difference(better, better, "held", TEST, probes[0], probes[0])
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_fewer_patients_than_folds():
    with pytest.raises(InputError, match="12 patients are fewer than 13 folds"):
        fit_concepts(site(ROWS, ACTIVATIONS), ["held"], Settings(folds=13))
