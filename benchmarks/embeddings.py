"""How fast embeddings come in the order of training, and in how much memory: `python -m benchmarks.embeddings`.

Made are `--slides` files of `--patches` float16 embeddings of `--width` numbers, as TRIDENT writes them: in chunks of
one row. Read are whole epochs in batches of 32, in the shuffled order of training, everything between disk and network
included; as a yardstick, the same rows as one long read slide by slide in the order of the files. The two take turns,
medians over `--rounds` epochs of a warm page cache, by CPU time and by the clock. Then, in a process each, the peak
memory of opening and of an epoch at a quarter of the slides and at all of them, and the bytes that the row table takes.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from data_prep.embeddings import open_embeddings
from mta.data.balance import Balance
from mta.data.inputs import EmbeddingInputs
from mta.data.reader import BatchReader

BATCH = 32
_CHILD = "from benchmarks.embeddings import child; child()"


def make(folder, slides, patches, width):
    """Files of random features and a table over all, and one over the first quarter."""
    random = np.random.default_rng(0)
    values = random.standard_normal((patches, width)).astype(np.float16)
    number = np.arange(patches)
    lines = []
    for slide in range(slides):
        with h5py.File(folder / f"slide-{slide:05d}.h5", "w") as file:
            file.create_dataset("features", data=values, maxshape=(None, width), chunks=(1, width))
            coords = np.stack([number % 64, number // 64], axis=1) * 512
            file.create_dataset("coords", data=coords, maxshape=(None, 2), chunks=(1, 2))
        lines.append(f"slide-{slide:05d}.h5,patient-{slide // 2},{slide % 5},{slide % 2}")
    for name, count in (("quarter", slides // 4), ("all", slides)):
        text = "\n".join(["features,patient,centre,label", *lines[:count]])
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def epoch(reader, number):
    """Read every batch of an epoch."""
    reader.set_epoch(number)
    for batch in range(len(reader)):
        reader[batch]


def reader_of(embeddings):
    targets = {"tumor": embeddings.rows["label"].to_numpy("float32")[:, None]}
    return BatchReader(EmbeddingInputs(embeddings), Balance(np.arange(len(embeddings)), []), targets, BATCH, seed=0)


def in_file_order(embeddings):
    for start in range(0, len(embeddings), 1000):
        embeddings.read(start, start + 1000)


def spent(task):
    """(CPU seconds, seconds) of a task."""
    begin = time.process_time(), time.perf_counter()
    task()
    return time.process_time() - begin[0], time.perf_counter() - begin[1]


def rates(table, rounds):
    """Name -> (embeddings a CPU second, embeddings a second), and the (CPU) seconds that opening takes."""
    opening = spent(lambda: open_embeddings(table))
    with open_embeddings(table) as embeddings:
        reader, times = reader_of(embeddings), {"training order": [], "file order": []}
        in_file_order(embeddings)  # warms the page cache
        for number in range(rounds):
            times["training order"].append(spent(lambda number=number: epoch(reader, number)))
            times["file order"].append(spent(lambda: in_file_order(embeddings)))
        return {name: len(embeddings) / np.median(found, axis=0) for name, found in times.items()}, opening


def peak():
    """The most memory that this process has taken, MiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) >> 10


def child():
    """In a process of its own: opens a table, reads an epoch, and prints what it took."""
    before = peak()
    with open_embeddings(sys.argv[1]) as embeddings:
        opened = peak()
        epoch(reader_of(embeddings), 0)
        row = embeddings.rows.memory_usage(index=False, deep=True).sum() / len(embeddings)
        found = {"rows": len(embeddings), "before": before, "opened": opened, "peak": peak(), "row": float(row)}
        print(json.dumps(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=1000)
    parser.add_argument("--patches", type=int, default=1000, help="a slide")
    parser.add_argument("--width", type=int, default=512, help="numbers an embedding")
    parser.add_argument("--rounds", type=int, default=3, help="epochs of which the median is taken")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, given.slides, given.patches, given.width)
        found, opening = rates(folder / "all.csv", given.rounds)
        print(f"open {given.slides} slides: {opening[0]:.1f} s of CPU, {opening[1]:.1f} s")
        for name, (cpu, clock) in found.items():
            print(f"{name}: {cpu:,.0f} embeddings a CPU second, {clock:,.0f} by the clock")
        for table in ("quarter", "all"):
            words = [sys.executable, "-c", _CHILD, str(folder / f"{table}.csv")]
            found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
            print(
                f"{found['rows']:,} rows: {found['row']:.1f} bytes a row; memory {found['before']} MiB before, "
                f"{found['opened']} opened, {found['peak']} after an epoch"
            )


if __name__ == "__main__":
    main()
