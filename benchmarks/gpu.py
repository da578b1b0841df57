"""Training images a second of the paper's network: `PYTHONPATH=. python benchmarks/gpu.py [--batch 32] [--size 224]`.

On the backend of KERAS_BACKEND and its first device, in float32 and mixed bfloat16: the whole network from pixels, and
the part that learns from what a feature cache holds. One epoch warms up, the next is timed; all its batches are one
batch of random numbers in memory, so that no disk is measured. The operations come from the shapes of the layers that
multiply matrices (convolutions and dense ones), two for a multiplication with its addition: once forward, and once
each for gradients of input and of weights where there are any. The peak that they are a fraction of is that of a large
product of matrices in the same numbers, measured in the same run. Prints a table and one JSON line.
"""

import argparse
import json
import platform
import time

import keras
import numpy as np

from mta.frozen import FEATURE, cut_frozen
from mta.settings import configure
from mta.spec import ModelSpec
from mta.training.network import make_network, seeded_model
from mta.training.phases import phases_of

CHAIN = 20  # products in one call
COLUMNS = ("precision", "from", "images/s", "TFLOP/s", "peak TFLOP/s", "of peak", "peak memory, GiB")


class Same(keras.utils.PyDataset):
    """One batch, again and again."""

    def __init__(self, batch, steps):
        super().__init__()
        self._batch, self._steps = batch, steps

    def __len__(self):
        return self._steps

    def __getitem__(self, index):
        return self._batch


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self._begin)


def forward(layer):
    """Floating-point operations of `layer` for one image."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None or not isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
        return 0
    places = layer.output.shape[1:-1] if isinstance(layer, keras.layers.Conv2D) else ()
    return 2 * int(np.prod(kernel.shape)) * int(np.prod(places))


def operations(model, lower, cached):
    """Floating-point operations of a training step for one image."""
    below = {layer.name for layer in lower.layers}
    total = 0
    for layer in model.layers:
        if layer.name not in below:
            total += forward(layer) * (3 if layer.trainable_weights else 2)
        elif not cached:
            total += forward(layer)
    return total


def batch_of(shapes, count):
    """Random inputs of `shapes` and labels for them."""
    rng = np.random.default_rng(0)
    x = {name: rng.integers(0, 256, (count, *shape)).astype("uint8") for name, shape in shapes.items()}
    if "image" not in x:
        x = {name: values.astype("float32") / 255 for name, values in x.items()}
    y = {"tumor": rng.integers(0, 2, (count, 1)), "domain": np.eye(5)[rng.integers(0, 5, count)]}
    y |= {name: rng.normal(size=(count, 1)) for name in ("ncount", "narea")}
    y = {name: values.astype("float32") for name, values in y.items()}
    return {**x, **{f"y_{name}": values for name, values in y.items()}}, {**y, "loss": np.zeros((count, 1), "float32")}


def images_a_second(network, shapes, options):
    clock, batches = Clock(), Same(batch_of(shapes, options.batch), options.steps)
    network.training.fit(batches, epochs=2, shuffle=False, verbose=0, callbacks=[clock])
    return options.batch * options.steps / clock.seconds[-1]


def compiled(function):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)


def peak(dtype, side):
    """Operations a second of products of two `side` x `side` matrices; the best of five calls."""

    def chain(x, w):
        for _ in range(CHAIN):
            x = keras.ops.matmul(x, w)
        return keras.ops.sum(keras.ops.cast(x, "float32"))

    function, x = compiled(chain), keras.ops.cast(np.full((side, side), 1 / side, "float32"), dtype)
    seconds = []
    for _ in range(6):
        begin = time.perf_counter()
        float(function(x, x))  # waits for the device
        seconds.append(time.perf_counter() - begin)
    return 2 * side**3 * CHAIN / min(seconds[1:])


def device():
    """Name of the device, and a function that gives the peak of its memory so far in bytes, or None."""
    if keras.backend.backend() == "jax":
        import jax

        first = jax.local_devices()[0]
        return first.device_kind, lambda: (first.memory_stats() or {}).get("peak_bytes_in_use")
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    if not found:
        return "cpu", lambda: None
    name = tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU")
    return name, lambda: tf.config.experimental.get_memory_info("GPU:0")["peak"]


def measure(precision, memory, options):
    """The rows of the table for one precision; memory is the peak of the process so far, the cache's row first."""
    config = configure({"backbone": options.backbone, "precision": precision, "jit": options.jit})
    spec = ModelSpec(domains=5, backbone=options.backbone, weights=None, trainable=options.trainable, size=options.size)
    model = seeded_model(spec, config.seed, precision)
    cut = cut_frozen(model)
    best = peak(precision.removeprefix("mixed_"), options.matmul)
    features = {FEATURE.format(k): shape for k, shape in enumerate(cut.shapes)}
    feeds = (("cache", cut.upper, features), ("pixels", model, {"image": model.input.shape[1:]}))
    for name, body, shapes in feeds:
        network = make_network(model, body, config, None)
        network.enter(phases_of(config)[-1], config)
        rate = images_a_second(network, shapes, options)
        done, used = rate * operations(model, cut.lower, name == "cache"), memory()
        row = (precision, name, rate, done / 1e12, best / 1e12, done / best, used and used / 2**30)
        yield dict(zip(COLUMNS, row, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="InceptionV3")
    parser.add_argument("--trainable", default="paper")
    parser.add_argument("--size", type=int, default=224, help="pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50, help="steps that are timed")
    parser.add_argument("--matmul", type=int, default=8192, help="side of the matrices whose product is the peak")
    parser.add_argument("--precision", nargs="+", default=["float32", "mixed_bfloat16"])
    parser.add_argument("--jit", default="auto", choices=("auto", "on", "off"))
    options = parser.parse_args()
    name, memory = device()
    print(f"{keras.backend.backend()} on {name}\n\n| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    rows = []
    for precision in options.precision:
        for row in measure(precision, memory, options):
            rows.append(row)
            told = [f"{value:.4g}" if isinstance(value, float) else str(value or "not told") for value in row.values()]
            print("| " + " | ".join(told) + " |", flush=True)
    facts = {"backend": keras.backend.backend(), "keras": keras.__version__, "device": name, **vars(options)}
    print(json.dumps({**facts, "platform": platform.platform(), "rows": rows}))


if __name__ == "__main__":
    main()
