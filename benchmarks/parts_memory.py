"""Does finding parts need more memory for more activations? `python benchmarks/parts_memory.py [--sizes N N]`.

Each size is a process of its own that writes that many mixtures of six planted parts (256 channels, float32) to a
temporary file and fits six parts to them. Peak memory is that of the process (VmHWM: Linux). The disk of the temporary
folder holds one file at a time.
"""

import argparse
import subprocess
import sys

FIT = """
import sys, tempfile, time
from pathlib import Path
import numpy as np
from mta.explain.nmf import Vectors, fit_parts, matched_cosines

def peak():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

count, width, block = int(sys.argv[1]), 256, 4096
generator = np.random.default_rng(0)
parts = generator.gamma(0.3, 1, (6, width))
before = peak()
with tempfile.TemporaryDirectory() as folder, Vectors(Path(folder), width) as vectors:
    while len(vectors) < count:
        weights = generator.gamma(0.7, 1, (block, 6)) * (generator.random((block, 6)) < 0.5)
        vectors.add(weights @ parts + generator.exponential(0.01, (block, width)))
    begin = time.perf_counter()
    found = fit_parts(vectors, 6, 0)
print(len(vectors), before, peak(), time.perf_counter() - begin, matched_cosines(parts, found).min())
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[250_000, 2_000_000], help="activation vectors")
    print("| vectors | on disk, MiB | peak before, MiB | peak, MiB | time, s | weakest planted part found, cosine |")
    print("|--:|--:|--:|--:|--:|--:|")
    for size in parser.parse_args().sizes:
        done = subprocess.run([sys.executable, "-c", FIT, str(size)], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        count, before, peak, took, found = map(float, done.stdout.split()[-5:])
        disk = count * 1024 / 2**20
        print(f"| {count:,.0f} | {disk:,.0f} | {before:,.0f} | {peak:,.0f} | {took:.0f} | {found:.3f} |", flush=True)


if __name__ == "__main__":
    main()
