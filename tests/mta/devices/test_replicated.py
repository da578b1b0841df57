"""A run on two devices ends as one on a single device, whatever is in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PRESETS = ("baseline", "multitask", "mta", "random-concept", "fixed-weights")
CASES = [f"{preset} paper {feed}" for preset in PRESETS for feed in ("patches", "cache")]
CASES += [f"{preset} original patches" for preset in PRESETS] + ["mta original cache", "mta paper standardized"]


def report(*names):
    """Logical devices can only be made before TensorFlow starts: in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "KERAS_BACKEND": "tensorflow"}
    script = [sys.executable, str(REPOSITORY / "tests" / "mta" / "devices" / "replicated_script.py"), *names]
    done = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_two_devices_end_as_one():
    found = report(*CASES)
    assert list(found) == CASES
    for name, values in found.items():
        assert values["weights"] <= 1e-5, (name, values)
        assert values["history"] <= 1e-5, (name, values)
        assert values["holes"], name
        assert values["cached"] == name.endswith("cache"), name
        assert abs(values["fell"]) > 1e-3, name  # it did learn
