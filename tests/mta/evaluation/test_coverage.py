"""Intervals hold a known truth about as often as they say: the simulation of `benchmarks/coverage.py`."""

import numpy as np
import pytest

from benchmarks.coverage import TRUTH, coverage, paired_coverage, simulate
from mta.evaluation import auc


def test_the_truth_is_the_auc_of_very_many_patients():
    assert auc(*simulate(np.random.default_rng(0), 100_000)[:2]) == pytest.approx(TRUTH, abs=0.002)


@pytest.mark.slow
def test_intervals_over_sixty_patients_hold_the_truth_and_those_over_patches_do_not():
    held = {method: coverage(60, method, 1000)[0] for method in ("percentile", "bca", "t", "patches")}
    assert 0.93 <= held["t"] <= 0.97
    assert 0.92 <= held["percentile"] <= 0.97
    assert 0.92 <= held["bca"] <= 0.97
    assert held["patches"] < 0.8


@pytest.mark.slow
def test_with_ten_patients_only_the_t_interval_is_near():
    held = {method: coverage(10, method, 1000)[0] for method in ("percentile", "bca", "t")}
    assert max(held["percentile"], held["bca"]) < 0.87
    assert held["t"] > 0.92


@pytest.mark.slow
@pytest.mark.parametrize("patients", [10, 60])
def test_t_intervals_of_a_difference_hold_the_truth(patients):
    assert 0.93 <= paired_coverage(patients, "t", 1000)[0] <= 0.97
