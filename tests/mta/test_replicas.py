"""A step on two replicas equals the step on one, wherever the labels lie."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mta.replicas import global_mean

REPOSITORY = Path(__file__).resolve().parents[2]
SLOW = pytest.mark.slow


@pytest.fixture(
    scope="module", params=["original", pytest.param("kendall", marks=SLOW), pytest.param("fixed", marks=SLOW)]
)
def report(request):
    """Logical devices can only be made before TensorFlow starts: in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "KERAS_BACKEND": "tensorflow"}
    script = [sys.executable, str(REPOSITORY / "tests" / "mta" / "replica_script.py"), request.param]
    done = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])[request.param]


def test_weights_after_two_steps_are_those_of_one_replica(report):
    assert report["weights"] in (20, 23)  # without and with three log-variances
    assert report["moved"] > 1e-5
    assert report["apart"] <= 1e-5


def test_reported_losses_and_metrics_are_those_of_one_replica(report):
    assert {"loss", "tumor_loss", "tumor_accuracy", "ncount_r2"} <= set(report["one"])
    for name, values in report["one"].items():
        np.testing.assert_allclose(report["two"][name], values, rtol=1e-4, err_msg=name)


def test_mean_of_what_the_mask_counts():
    assert float(global_mean(np.float32([1, 0, 5]), np.float32([1, 0, 1]))) == 3.0
    assert float(global_mean(np.float32([0, 0]), np.float32([0, 0]))) == 0.0
