"""Run by test_replicated: whole runs on one and on two logical CPUs, and how far apart they end, as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from mta.run_folder import RunFolder
from mta.train import train
from tests.builders import TINY, tiny_concepts, tiny_rows, tiny_store
from tests.mta.training.comparing import history

# Twenty training rows in batches of seven: none can be shared out evenly, and the last one is smaller.
SETTINGS = {**TINY, "batch_size": 7, "dropout": 0.0, "learning_rate": 0.003, "quiet": True, "missing_centre": "mask"}
FEEDS = {
    "patches": {},
    "cache": {"trainable": "last:2"},
    "standardized": {"trainable": "none", "standardize": "on", "cache": "off"},
}


def gappy_store(path):
    """A store that lacks tumor labels, centres and concepts, all three for some rows."""
    rows = tiny_rows(5)
    label, centre, concepts = rows["label"].to_numpy(copy=True), rows["centre"].to_numpy(copy=True), tiny_concepts(rows)
    label[[0, 1, 6, 11]], centre[[0, 2, 7, 12, 13]] = -1, ""
    concepts.loc[[0, 3, 4, 8, 12], "ncount"] = np.nan
    return tiny_store(path, rows, label=label, centre=centre, concepts=concepts)


def run(store, out, name, strategy):
    preset, profile, feed = name.split()
    settings = {**SETTINGS, **FEEDS[feed], "preset": preset, "profile": profile}
    train(store, out, strategy=strategy, cache_dir=str(out.parent / "cache"), **settings)
    return RunFolder(out).load_model("last").get_weights(), history(out)


def compare(store, folder, name):
    one, two = (run(store, folder / name / strategy, name, strategy) for strategy in ("none", "mirrored"))
    numbers = [frame.select_dtypes("number").to_numpy() for _, frame in (one, two)]
    return {
        "weights": max(float(np.abs(a - b).max()) for a, b in zip(one[0], two[0], strict=True)),
        "history": float(np.nanmax(np.abs(numbers[0] - numbers[1]))),
        "holes": bool((np.isnan(numbers[0]) == np.isnan(numbers[1])).all()),
        "fell": float(one[1]["loss"].iloc[0] - one[1]["loss"].iloc[-1]),
        "cached": (folder / name / "cache").exists(),
    }


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    with tempfile.TemporaryDirectory() as folder:
        store = gappy_store(Path(folder) / "gappy.h5")
        report = {name: compare(store, Path(folder), name) for name in sys.argv[1:]}
    sys.stdout.write(json.dumps(report) + "\n")
