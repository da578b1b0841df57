"""Agreement, deletion, sharpness and means with known answers."""

import numpy as np
import pandas as pd
import pytest

from mta.explain.agreement import area_share, energy_inside, pointing_game
from mta.explain.map_facts import compared, summarized
from mta.explain.patient_means import patient_mean
from mta.explain.perturbing import area_under, deletion_curve, ranks
from mta.explain.sharpness import sharpness

MASK = np.zeros((1, 4, 4), bool)
MASK[0, :2, :2] = True


def a_map(**places):
    values = np.zeros((1, 4, 4))
    for name, value in places.items():
        values[0, int(name[1]), int(name[2])] = value
    return values


def test_the_pointing_game_counts_highest_places():
    assert pointing_game(a_map(p00=2, p33=1), MASK) == 1
    assert pointing_game(a_map(p00=1, p33=2), MASK) == 0
    assert pointing_game(a_map(p00=2, p33=2), MASK) == 0.5
    assert np.isnan(pointing_game(a_map(), MASK))[0]


def test_energy_inside_is_a_share_of_the_sum():
    assert energy_inside(a_map(p00=3, p33=1), MASK) == 0.75
    assert np.isnan(energy_inside(a_map(), MASK))[0]


def test_chance_is_the_share_of_the_area():
    assert area_share(MASK) == 0.25
    noise = np.random.default_rng(0).random((4000, 4, 4))
    masks = np.repeat(MASK, 4000, axis=0)
    assert pointing_game(noise, masks).mean() == pytest.approx(0.25, abs=0.02)
    assert energy_inside(noise, masks).mean() == pytest.approx(0.25, abs=0.01)


def important(images):
    """A score that only the upper left pixel decides."""
    return images[:, 0, 0, 0]


def test_deleting_the_pixel_that_decides_ends_the_score_at_once():
    images, glass = np.ones((1, 4, 4, 3)), np.zeros((1, 4, 4, 3))
    right, wrong = (ranks(a_map(p00=sign)) for sign in (1, -1))
    curve = deletion_curve(important, images, right, glass, 16)
    np.testing.assert_array_equal(curve[:, 0], [1] + [0] * 16)
    np.testing.assert_array_equal(deletion_curve(important, images, wrong, glass, 16)[:, 0], [1] * 16 + [0])
    assert area_under(curve) == pytest.approx(1 / 32)
    inserted = deletion_curve(important, glass, right, images, 16)
    np.testing.assert_array_equal(inserted[:, 0], [0] + [1] * 16)


def test_ranks_begin_with_the_highest_and_break_ties_at_random():
    values = np.random.default_rng(0).random((2, 3, 3))
    places = ranks(values)
    assert (places.reshape(2, -1).argmin(axis=1) == values.reshape(2, -1).argmax(axis=1)).all()
    ties = ranks(np.zeros((1, 8, 8)))
    assert sorted(ties.ravel()) == list(range(64))
    assert (ties.ravel() != np.arange(64)).any()


def test_sharpness_wraps_around():
    # One row of ones in four: going down, two of four steps are 1; going right, none.
    stripes = np.zeros((1, 4, 4))
    stripes[0, 0] = 7
    assert sharpness(stripes)["L1"] == pytest.approx(0.5)
    assert sharpness(stripes)["L2"] == pytest.approx(0.5)
    halves = np.tile(np.array([0, 0.5, 1, 0.5]), (1, 4, 1))
    assert sharpness(halves)["L1"] == pytest.approx(0.5)
    assert sharpness(halves)["L2"] == pytest.approx(0.25)
    assert np.isnan(sharpness(np.ones((1, 4, 4)))["L1"])[0]


def test_intervals_widen_where_patches_of_a_patient_are_alike():
    generator = np.random.default_rng(0)
    patients = np.repeat(np.arange(20), 30)
    alike = np.repeat(generator.normal(size=20), 30)
    mean, low, high = patient_mean(alike, patients)
    alone = patient_mean(alike, np.arange(600))
    assert mean == alone[0] == pytest.approx(alike.mean())
    assert high - low > 3 * (alone[2] - alone[1])
    assert high - low == pytest.approx(2 * 1.96 * alike.std() / np.sqrt(20), rel=0.15)


def test_means_leave_out_what_is_absent():
    mean, low, high = patient_mean(np.array([1.0, np.nan, 3.0]), np.array(["a", "b", "b"]))
    assert mean == 2
    assert low <= 2 <= high
    assert np.isnan(patient_mean(np.array([np.nan]), np.array(["a"]))).all()
    assert np.isnan(patient_mean(np.array([1.0, 2.0]), np.array(["a", "a"]))[1:]).all()


def facts(run, values):
    return pd.DataFrame(
        {
            "run": run,
            "method": "gradcam",
            "head": "tumor",
            "measure": "energy inside",
            "row": range(4),
            "patient": ["a", "a", "b", "b"],
            "value": values,
            "chance": 0.25,
        }
    )


def test_tables_give_gain_over_chance_and_paired_differences():
    both = pd.concat([facts("one", [0.5, 0.7, 0.6, np.nan]), facts("two", [0.4, 0.6, 0.5, 0.9])])
    table = summarized(both)
    assert list(table["value"]) == pytest.approx([0.6, 0.6])
    assert list(table["gain"]) == pytest.approx([0.35, 0.35])
    assert list(table["patches"]) == [3, 4]
    gap = compared(both, "one", "two").iloc[0]
    assert (gap["difference"], gap["low"], gap["high"], gap["patches"]) == pytest.approx((0.1, 0.1, 0.1, 3))
