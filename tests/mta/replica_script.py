"""Run by test_replicas: two optimizer steps on one and on two logical CPUs, from the same weights and batch."""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

from mta.metrics import R2, LogitAccuracy, TaskLoss
from mta.model import ModelSpec, build_model, build_training_model

ROWS = 8
SPEC = ModelSpec(
    concepts=("ncount",), domains=3, backbone="SmallCNN", weights=None, trainable="all", size=16,
    dense=(8,), dropout=0.0, l2=0.01,
)  # fmt: skip


def batch():
    """A replica gets four of the rows. The first holds no tumor label, the second one domain and one concept."""
    rng = np.random.default_rng(0)
    tumor = np.array([-1, -1, -1, -1, 1, 0, 0, -1.0])
    domain = np.eye(3)[rng.integers(0, 3, ROWS)]
    domain[5:] = 0
    ncount = rng.normal(size=ROWS)
    ncount[[1, 4, 5, 7]] = np.nan
    x = {
        "image": rng.integers(0, 256, (ROWS, 16, 16, 3)),
        "y_tumor": tumor[:, None],
        "y_domain": domain,
        "y_ncount": ncount[:, None],
    }
    x = {name: values.astype("float32") for name, values in x.items()}
    y = {name.removeprefix("y_"): values for name, values in x.items() if name != "image"}
    return x, {**y, "loss": np.zeros(ROWS, "float32")}


def step(strategy, weighting):
    keras.utils.set_random_seed(3)
    with strategy.scope():
        training = build_training_model(build_model(SPEC), weighting=weighting)
        metrics = {"tumor": [TaskLoss("binary"), LogitAccuracy()], "ncount": [R2()]}
        training.compile(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), metrics=metrics)
    before = [weight.numpy() for weight in training.trainable_weights]
    data = tf.data.Dataset.from_tensor_slices(batch()).batch(ROWS)
    history = training.fit(data, epochs=2, verbose=0).history
    return before, [weight.numpy() for weight in training.trainable_weights], history


def compare(weighting, mirrored):
    one = step(tf.distribute.OneDeviceStrategy("CPU:0"), weighting)
    two = step(mirrored, weighting)
    apart = [float(np.abs(a - b).max()) for a, b in zip(one[1], two[1], strict=True)]
    moved = [float(np.abs(a - b).max()) for a, b in zip(one[0], one[1], strict=True)]
    return {"apart": max(apart), "moved": min(moved), "one": one[2], "two": two[2], "weights": len(apart)}


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # One strategy for all: a second one in a process would use the collective keys of the first again.
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    report = {weighting: compare(weighting, mirrored) for weighting in sys.argv[1:]}
    sys.stdout.write(json.dumps(report) + "\n")
