"""What augmentation costs beside a training step: `python benchmarks/augment.py [--rounds 9]`.

CPU time of the process, all threads, for a batch of 32 patches of 224x224 pixels: each layer, and a step of the paper's
network (InceptionV3 with five convolutions that learn), whole and from cached features. Layers take turns within each
round, medians over the rounds. Then what the feature cache of that network keeps of a patch, in one view and in eight.
"""

import argparse
import time

import keras
import numpy as np
import tensorflow as tf

from mta.frozen import cut_frozen
from mta.layers import ColorJitter, HEDJitter, RandomDihedral, StainMatrixJitter
from mta.model import ModelSpec, build_model, build_training_model

COUNT, SIDE = 32, 224


def cpu_time(function, *arguments):
    begin = time.process_time()
    function(*arguments)
    return time.process_time() - begin


def layer_times(rounds):
    """name -> median CPU time of a batch, seconds."""
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3)), "float32")
    layers = [RandomDihedral(1), StainMatrixJitter(seed=1), HEDJitter(seed=1), ColorJitter(seed=1)]
    graphs = {type(layer).__name__: tf.function(lambda x, layer=layer: layer(x, training=True)) for layer in layers}
    times = [{name: cpu_time(graph, images) for name, graph in graphs.items()} for _ in range(rounds + 1)]
    return {name: np.median([one[name] for one in times[1:]]) for name in graphs}


def step_time(body, steps=2):
    """Median CPU time of a training step of `body`, seconds."""
    training = build_training_model(body)
    training.compile("sgd", jit_compile=False)
    inputs = {name: np.ones((COUNT, *tensor.shape[1:]), "float32") for name, tensor in training.input.items()}
    targets = {name: np.zeros((COUNT, *output.shape[1:]), "float32") for name, output in training.output.items()}
    return np.median([cpu_time(training.train_on_batch, inputs, targets) for _ in range(steps + 1)][1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of which the median is taken")
    rounds = parser.parse_args().rounds
    keras.utils.set_random_seed(0)
    model = build_model(ModelSpec(("ncount", "narea"), 5, "InceptionV3", None, "paper", SIDE))
    cut = cut_frozen(model)
    times = layer_times(rounds)
    times["step of the whole network"], times["step from cached features"] = step_time(model), step_time(cut.upper)
    whole = times["step of the whole network"]
    print("| | ms a batch, CPU | share of the whole step |\n|---|--:|--:|")
    for name, seconds in times.items():
        print(f"| {name} | {1000 * seconds:,.0f} | {seconds / whole:.1%} |")
    record = 4 * sum(int(np.prod(shape)) for shape in cut.shapes)
    print(f"\ncache, float32: {record / 1000:,.0f} kB a patch in one view, {8 * record / 1000:,.0f} kB in eight")


if __name__ == "__main__":
    main()
