"""The same model on Keras' JAX backend; a process has one backend, so that each runs in its own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.mta import jax_script

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


def report(*arguments):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu"}
    script = [sys.executable, str(REPOSITORY / "tests" / "mta" / "jax_script.py"), *map(str, arguments)]
    done = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def jax():
    shared = Path(os.environ.get("MTA_SHARED", REPOSITORY.parent / "shared")) / "golden" / "original_losses.npz"
    return report(*([shared] if shared.exists() else []))


def test_runs_on_jax(jax):
    assert jax["backend"] == "jax"


@pytest.mark.parametrize("strength", ["0.0", "0.1", "1.0", "10.0"])
def test_reversal(jax, strength):
    assert jax["reversal"][strength]["forward"] == [1.0, -2.0, 3.0]
    np.testing.assert_allclose(jax["reversal"][strength]["gradient"], -float(strength) * np.array([2.0, -4.0, 6.0]))


def test_losses_and_gradients_equal_the_original_code(jax, shared):
    golden = np.load(shared / "golden" / "original_losses.npz")
    assert len(jax["golden"]) > 30
    for key, value in jax["golden"].items():
        assert np.max(np.abs(value - golden[key])) <= 1e-5 * np.max(np.abs(golden[key])), key


def test_training_equals_training_on_tensorflow(jax):
    tensorflow = jax_script.training()
    np.testing.assert_allclose(jax["training"]["loss"], tensorflow["loss"], rtol=1e-5)
    np.testing.assert_allclose(jax["training"]["checksum"], tensorflow["checksum"], rtol=1e-5)


@pytest.mark.parametrize("name", ["RandomDihedral", "StainMatrixJitter", "HEDJitter", "ColorJitter"])
def test_augmentation_equals_that_on_tensorflow(jax, name):
    tensorflow = jax_script.augmentation()[name]
    np.testing.assert_allclose(jax["augmentation"][name]["given"], tensorflow["given"], rtol=1e-5, atol=1e-3)
    assert jax["augmentation"][name]["anew"]
    assert tensorflow["anew"]


def test_augmentation_draws_anew_in_every_epoch_of_fit(jax):
    losses = jax["augmented_fit"]
    assert len(set(losses)) == len(losses)
