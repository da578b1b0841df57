"""An epoch of training: the original's way, ours on patches, and ours from the feature cache.

    PYTHONPATH=. python benchmarks/epoch.py [--backbone InceptionV3] [--trainable paper] [--patches 64] [--rounds 5]

The original's way is one patch after the other through its Reinhard, then a step of the whole network, all layers
forward. "whole network" is ours without a cache: stain in batches, then the same step. "from the cache" reads
records and takes a step of what learns. "first epoch" is: stain, frozen layers, records written,
and the step. All take turns in each round, over the same synthetic patches in batches of 32, weights random. Printed
are medians over the rounds: the time of a patch, and the ratio within each round to the original's way.

Last, how much of the machine's matrix multiplications a cached step is: its multiply-adds (forward of the learning
layers, and their two products backward where a gradient is needed) over its time, as a share of the rate at which
large matrices are multiplied in the same round. And what its parts take that cannot be left out, each alone: these
products at their own shapes, the pass that updates the weights, and the one for the gradient of the penalty.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers, ops

from benchmarks.stain import OriginalWay
from data_prep.store import make_rows, write_store
from data_prep.synthetic import SyntheticSpec, synthesize
from mta.settings import configure
from mta.training.loop import make_ready
from mta.training.phases import phases_of
from mta.training.setup import training_reader

BATCH, SIDE, CENTRES = 32, 224, 7
MATRIX = 2048


def make_store(folder: Path, count: int) -> Path:
    """A store of `count` synthetic training patches, and a few for validation."""
    spec = SyntheticSpec(patches=128, patients=15, size=SIDE, mpp=0.25)
    found = np.concatenate([block.patches for block in synthesize(spec)])
    pixels, number = np.resize(found, (count + 4, SIDE, SIDE, 3)), np.arange(count + 4)
    role = np.where(number < count, "train", "validation")
    values = {"source": "bench", "entry": number.astype(str), "patient": role, "role": role}
    rows = make_rows(len(number), {**values, "label": number % 2, "centre": (number // 2 % CENTRES).astype(str)})
    concepts = pd.DataFrame({"ncount": number % 17, "narea": number % 13}).astype(float)
    concepts.attrs["units"] = {"ncount": "nuclei", "narea": "px"}
    write_store(folder / "store.h5", pixels, rows, concepts)
    return folder / "store.h5"


class Training:
    """A training network made ready as `mta.train` does, with the reader of its first epoch."""

    def __init__(self, folder: Path, store: Path, options: argparse.Namespace, cache: str) -> None:
        settings = {"backbone": options.backbone, "trainable": options.trainable, "weights": "none", "cache": cache}
        places = {"store": str(store), "out": str(folder / "run"), "cache_dir": str(folder / "caches")}
        self.config = configure({**settings, **places, "batch_size": BATCH})
        self.setup, self.network, feed = make_ready(self.config)
        self.inputs = feed.inputs
        self.network.enter(phases_of(self.config)[0], self.config)
        self.reader = training_reader(self.setup, self.config, self.inputs)

    def step(self, number: int) -> None:
        """One batch, read and learned."""
        self.learn(*self.reader[number])

    def learn(self, inputs: dict, targets: dict) -> None:
        self.network.training.train_on_batch(inputs, targets)


class OriginalTraining(Training):
    """Patch after patch through the original's Reinhard, and a step of the whole network."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.reader._inputs.normalizer = None
        self._stain = OriginalWay(self.setup.data.patches[0])

    def step(self, number: int) -> None:
        inputs, targets = self.reader[number]
        images = np.stack([self._stain.transform(image) for image in inputs["image"]])
        self.learn({**inputs, "image": images}, targets)


class FirstEpoch:
    """Features computed and written, and a step from them."""

    def __init__(self, training: Training) -> None:
        self._training, self._rows = training, training.setup.data.of("train")

    def step(self, number: int) -> None:
        marks = self._training.inputs._cache._file._marks
        marks[self._rows[number * BATCH : (number + 1) * BATCH]] = 0
        self._training.inputs.prepare(self._rows, quiet=True)
        self._training.step(number)


def multiply_adds(layer) -> int:
    """Of one patch through `layer`, forward; 0 for layers without a kernel."""
    if not isinstance(layer, layers.Conv2D | layers.Dense):
        return 0
    places = int(np.prod(layer.output.shape[1:-1])) if isinstance(layer, layers.Conv2D) else 1
    return places * int(np.prod(layer.kernel.shape))


def learning_layers(training: Training) -> list:
    """Layers that learn, each with whether the gradient of its input is needed too: below a learning one it is."""
    learning = [layer for layer in training.network.model.layers if layer.trainable and multiply_adds(layer)]
    return [(layer, isinstance(layer, layers.Dense) and layer is not learning[0]) for layer in learning]


def step_work(training: Training) -> int:
    """Multiply-adds of a cached step: forward, the gradient of each kernel, and of what lies below a learning layer."""
    return BATCH * sum(multiply_adds(layer) * (3 if inner else 2) for layer, inner in learning_layers(training))


def products(training: Training) -> list:
    """For each learning layer a function that does its products alone: forward, and those of its gradients."""
    return [_products(layer, inner) for layer, inner in learning_layers(training)]


def _products(layer, inner):
    x = tf.random.normal((BATCH, *layer.input.shape[1:]))
    upstream = tf.random.normal((BATCH, *layer.output.shape[1:]))
    kernel = layer.kernel.value

    @tf.function
    def work():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([x, kernel])
            dense = isinstance(layer, layers.Dense)
            out = tf.matmul(x, kernel) if dense else tf.nn.conv2d(x, kernel, strides=1, padding="SAME")
        return out, tape.gradient(out, [kernel, x] if inner else [kernel], upstream)

    return work


def passes(training: Training) -> list:
    """The update of every weight, and the gradient of the penalty on every dense kernel, as functions."""
    variables = [variable.value for variable in training.network.training.trainable_variables]
    gradients = [tf.zeros(variable.shape) for variable in variables]
    momenta = [tf.Variable(gradient) for gradient in gradients]
    penalized = [v.value for v in training.network.training.trainable_variables if v.regularizer]

    @tf.function
    def update():
        for variable, momentum, gradient in zip(variables, momenta, gradients, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle, accum=momentum.handle, lr=0.0, grad=gradient, momentum=0.9, use_nesterov=True
            )

    return [update, tf.function(lambda: [0.02 * variable for variable in penalized])]


def milliseconds(works: list, rounds: int) -> float:
    """Median over the rounds of the time of all `works`, one after the other."""
    times = []
    for _ in range(rounds + 1):  # the first one compiles
        start = time.perf_counter()
        for work in works:
            work()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:])) * 1e3


def multiplying() -> float:
    """Multiply-adds a second of large matrices, now."""
    one = ops.ones((MATRIX, MATRIX))
    np.asarray(ops.matmul(one, one)[0, 0])
    start = time.perf_counter()
    for _ in range(2):
        last = ops.matmul(one, one)
    np.asarray(last[0, 0])
    return 2 * MATRIX**3 / (time.perf_counter() - start)


def rivals_of(folder: Path, options: argparse.Namespace) -> dict:
    """Name -> what has a `step(number)`; the features of all training patches are in the cache."""
    store = make_store(folder, options.patches)
    cached = Training(folder, store, options, "auto")
    cached.inputs.prepare(cached.setup.data.of("train"), quiet=True)
    return {
        "the original's way": OriginalTraining(folder, store, options, "off"),
        "whole network": Training(folder, store, options, "off"),
        "from the cache": cached,
        "first epoch": FirstEpoch(cached),
    }


def seconds(work, number: int) -> float:
    start = time.perf_counter()
    work.step(number)
    return time.perf_counter() - start


def report(names: list[str], times: np.ndarray) -> None:
    for name, own in zip(names, times.T, strict=True):
        ratios = times[:, 0] / own
        print(
            f"{name:18} {np.median(own) / BATCH * 1e3:8.2f} ms a patch, {np.median(ratios):6.1f} times as fast as the "
            f"original's way ({ratios.min():.1f} to {ratios.max():.1f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="InceptionV3")
    parser.add_argument("--trainable", default="paper")
    parser.add_argument("--patches", type=int, default=64, help="training patches; a multiple of 32")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run(Path(name), options)


def run(folder: Path, options: argparse.Namespace) -> None:
    rivals = rivals_of(folder, options)
    cached = rivals["from the cache"]
    steps = options.patches // BATCH
    for rival in rivals.values():
        rival.step(0)
    rounds, rates = [], []
    for number in range(options.rounds):
        rounds.append([seconds(rival, number % steps) for rival in rivals.values()])
        rates.append(multiplying())
    times = np.array(rounds)
    size = cached.inputs._cache._file.record_bytes
    print(f"{options.backbone}, trainable {options.trainable}, {SIDE} px, batches of {BATCH}, {options.rounds} rounds")
    report(list(rivals), times)
    print(f"a record has {size:,} bytes: {size * 139_000 / 1e9:.1f} GB for 139,000 patches")
    share = step_work(cached) / times[:, 2] / np.array(rates)
    work, rate = step_work(cached) / 1e9, np.median(rates) / 1e9
    print(f"a cached step is {work:.2f} G multiply-adds; the machine does {rate:.1f} G a second:", end=" ")
    print(f"{np.median(share):.0%} of it ({share.min():.0%} to {share.max():.0%})")
    own, (update, penalty) = milliseconds(products(cached), 4 * options.rounds), passes(cached)
    parts = own, milliseconds([update], 4 * options.rounds), milliseconds([penalty], 4 * options.rounds)
    print("parts of a cached step alone: products {:.1f} ms, update {:.1f}, penalty {:.1f}:".format(*parts), end=" ")
    print(f"{sum(parts):.1f} of {np.median(times[:, 2]) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
