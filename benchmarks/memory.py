"""Does training need more memory for more patches? `python benchmarks/memory.py [--sizes 12500 50000 200000]`.

Each size is a store of noise, 96x96 pixels (27,648 bytes a patch), on which a process of its own trains the first
convolution of a small network for one epoch, patches as they are, a tenth of them for validation. Peak memory is that
of the process (VmHWM: Linux), with TensorFlow and the window of 256 MiB in it. The disk of the temporary folder holds
one store at a time.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from data_prep.store import StoreWriter, make_rows

SIDE, BLOCK = 96, 250
TRAIN = """
import sys
from mta.backend import start_quietly
start_quietly()
from mta.train import train
train(sys.argv[1], sys.argv[2], preset="baseline", backbone="SmallCNN", weights="none", trainable="all",
      cut="block1_conv", dense=(16,), batch_size=256, stain="none", epochs=(1, 0), quiet=True)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def make(path, count):
    """Half tumor, slides of 250 patches, every tenth for validation."""
    noise = np.random.default_rng(0).integers(0, 256, (BLOCK, SIDE, SIDE, 3), dtype=np.uint8)
    with StoreWriter(path, (SIDE, SIDE)) as writer:
        for slide in range(count // BLOCK):
            role = "validation" if slide % 10 == 9 else "train"
            texts = {"role": role, "patient": f"p{slide}", "slide": f"s{slide}", "entry": f"s{slide}"}
            rows = make_rows(BLOCK, {**texts, "label": np.arange(BLOCK) % 2, "patch_no": np.arange(BLOCK)})
            writer.append(np.roll(noise, slide, axis=0), rows)


def trained(store, out):
    """Peak memory of a training process, MiB, and its time, seconds."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(store), str(out)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return int(done.stdout.split()[-1]) / 1024, time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_500, 50_000, 200_000], help="patches of each store")
    sizes, peaks = parser.parse_args().sizes, []
    print("| patches | on disk, MiB | peak memory, MiB | time, s |\n|--:|--:|--:|--:|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "noise.h5"
            make(store, size)
            peak, seconds = trained(store, Path(folder) / "run")
            peaks.append(peak)
            print(f"| {size:,} | {store.stat().st_size / 2**20:,.0f} | {peak:,.0f} | {seconds:,.0f} |", flush=True)
    if len(sizes) > 1:
        print(f"\n{(peaks[-1] - peaks[0]) * 2**20 / (sizes[-1] - sizes[0]):,.0f} bytes more a patch, first to last")


if __name__ == "__main__":
    main()
