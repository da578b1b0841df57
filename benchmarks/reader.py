"""How fast patches come from a warm flat store: `python benchmarks/reader.py [--rounds 5]`.

Patches a second in batches of 256 from one process: h5py's own fancy indexing with random rows (the habit of
HDF5 training scripts), the same random rows with `take`, `take` with rows shuffled within a block, `read`, and what
training gets: batches of 32 of whole epochs in their shuffled order, the reading of the windows included. The latter
also for a first epoch, with the memory of the windows still to be had and every patch held against its checksum, the
same of a store without checksums; for one tumor in ten rows with classes in equal shares; and for four stores opened
together. By the CPU time of the process, as there is no other wait in a warm store and the machine has other work; the
methods take turns within each round, medians over the rounds.
"""

import argparse
import itertools
import shutil
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from data_prep.store import StoreWriter, make_rows, open_patches
from mta.data.balance import make_balance
from mta.data.inputs import PatchInputs
from mta.data.reader import BatchReader

BATCH = 256
COUNTS = {96: 16384, 224: 4096}  # more than a window of the training order
TRAINING, FIRST, BARE = "training order", "training order, first epoch", "training order, first epoch, no checksums"
BALANCED, SEVERAL = "training order, balanced classes", "training order, four stores"


def make(path, size, count):
    random = np.random.default_rng(0)
    with StoreWriter(path, (size, size)) as writer:
        for _ in range(0, count, BATCH):
            writer.append(random.integers(0, 256, (BATCH, size, size, 3), dtype=np.uint8), make_rows(BATCH))


def methods(path, count):
    """name -> function of a random generator that reads and returns one batch."""
    patches, dataset, bare = open_patches(path), h5py.File(path)["patches"], without_checksums(path)

    def start(random):
        return int(random.integers(0, count // BATCH)) * BATCH

    def anywhere(random):
        return random.choice(count, BATCH, replace=False)

    return {
        "h5py fancy indexing, random rows": lambda random: dataset[np.sort(anywhere(random))],
        "take, random rows": lambda random: patches.take(anywhere(random)),
        "take, shuffled block": lambda random: patches.take(start(random) + random.permutation(BATCH)),
        "read, block": lambda random: patches.read(first := start(random), first + BATCH),
        TRAINING: epoch(patches),
        FIRST: lambda random: epoch(open_patches(path))(random),
        BARE: lambda random: epoch(open_patches(bare))(random),
        BALANCED: epoch(patches, "class"),
        SEVERAL: epoch(open_patches(",".join(f"{name}={path.with_name(name)}" for name in parts_of(path)))),
    }


def without_checksums(path):
    """A copy of the store `path` without checksums of its patches."""
    bare = Path(shutil.copy(path, path.with_name(f"bare-{path.name}")))
    with h5py.File(bare, "r+") as file:
        del file["checksums"]
    return bare


def parts_of(path):
    return [f"{path.stem}-{number}.h5" for number in range(4)]


def epoch(patches, balance="none"):
    """A function that reads all patches for one epoch of training after the other."""
    epochs = itertools.count()
    targets = {"tumor": np.zeros((len(patches), 1), "float32")}
    label = np.arange(len(patches)) // 100 % 10 == 0  # slides of 100 patches
    shown = make_balance(pd.DataFrame({"label": label.astype(int)}), np.arange(len(patches)), balance)
    reader = BatchReader(PatchInputs(patches), shown, targets, batch_size=32, seed=0)

    def read(random):
        reader.set_epoch(next(epochs))
        for number in range(len(reader)):
            reader[number]

    return read


def measure(readers, rounds, batches, count):
    """Patches a second of each reader, the median over `rounds`."""
    random, rates = np.random.default_rng(1), {name: [] for name in readers}
    for number in range(rounds + 1):
        for name, reader in readers.items():
            repeats = 1 if "fancy" in name or TRAINING in name else batches
            begin = time.process_time()
            for _ in range(repeats):
                reader(random)
            if number:  # the first round warms the page cache
                patches = count if TRAINING in name else BATCH * repeats
                rates[name].append(patches / (time.process_time() - begin))
    return {name: np.median(values) for name, values in rates.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is taken")
    rounds = parser.parse_args().rounds
    print("| method | " + " | ".join(f"{size}x{size}, patches/s of CPU" for size in COUNTS) + " |\n|---|--:|--:|")
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for size, count in COUNTS.items():
            path = Path(folder) / f"{size}.h5"
            make(path, size, count)
            for part in parts_of(path):
                make(path.with_name(part), size, count // 4)
            columns.append(measure(methods(path, count), rounds, 8, count))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(f"{column[name]:,.0f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
