"""How time and memory grow with the number of patches: `python -m benchmarks.scaling [--out benchmarks/results]`.

Whole commands as a user runs them, each in a process of its own, on stores of 1, 4 and 16 times as many patches of
noise (96 px). Written are `scaling.csv` (seconds and peak memory of each) and `scaling.png`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.files import replacing
from data_prep.store import StoreWriter, make_rows
from mta.evaluation.style import COLORS, dress, new_figure, save

SIZE, FIRST, TIMES = 96, 250, (1, 4, 16)
BLOCK = 250
TINY = ("--preset", "baseline", "--backbone", "SmallCNN", "--weights", "none", "--trainable", "all", "--dense", "32")
COMMANDS = {
    "normalize": ("data_prep", "normalize", "{store}", "--out", "{out}.h5", "--method", "reinhard", "--quiet"),
    "nuclei": ("data_prep", "nuclei", "{store}", "--out", "{out}.h5", "--quiet"),
    "report": ("data_prep", "report", "{store}", "--out", "{out}.html"),
    "train an epoch": ("mta.train", "{store}", "--out", "{out}", *TINY, "--epochs", "1", "0", "--quiet"),
}

# A process counts the memory of the one that started it as its own, until it is another program; so a small one starts
# the command, and prints its peak in KiB.
_LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
_, status, usage = os.wait4(child, 0)
print(f"\\n{usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


def make_store(path: Path, count: int) -> None:
    """A store of `count` patches of noise: ten patients, both classes and all roles."""
    random, number = np.random.default_rng(0), np.arange(count)
    role = np.array(["train"] * 7 + ["validation", "internal_test", "external_test"])[number % 10]
    values = {"source": "noise", "entry": number.astype(str), "patient": (number % 10).astype(str), "mpp": 0.5}
    rows = make_rows(count, {**values, "role": role, "centre": (number % 3).astype(str), "label": number // 10 % 2})
    with StoreWriter(path, (SIZE, SIZE)) as writer:
        for start in range(0, count, BLOCK):
            block = rows.iloc[start : start + BLOCK]
            writer.append(random.integers(90, 250, (len(block), SIZE, SIZE, 3), dtype=np.uint8), block)


def run(command: tuple[str, ...], **places: Path) -> tuple[float, float]:
    """Seconds and MiB at the peak of a command in a process of its own."""
    arguments = ["-m", *(word.format(**places) for word in command)]
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _LAUNCHER, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed")
    return time.perf_counter() - start, int(done.stdout.split()[-1]) / 1024  # Linux counts in KiB


def measure(folder: Path) -> pd.DataFrame:
    """command, patches, seconds, mib: a row for each command and size."""
    lines = []
    for times in TIMES:
        store = folder / f"{times}.h5"
        make_store(store, FIRST * times)
        for name, command in COMMANDS.items():
            seconds, memory = run(command, store=store, out=folder / f"{name.replace(' ', '-')}-{times}")
            lines.append({"command": name, "patches": FIRST * times, "seconds": seconds, "mib": memory})
            print(f"{name}, {FIRST * times} patches: {seconds:.1f} s, {memory:.0f} MiB", flush=True)
    return pd.DataFrame(lines)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Seconds and peak memory against patches, a line a command."""
    figure = new_figure(9, 3.6)
    columns = {"seconds": "seconds", "mib": "peak memory, MiB"}
    for panel, (column, title) in zip(figure.subplots(1, 2), columns.items(), strict=True):
        dress(panel, title).set(xscale="log", xlabel=f"patches of {SIZE} px")
        for color, (name, own) in zip(COLORS, table.groupby("command", sort=False), strict=False):
            panel.plot(own["patches"], own[column], marker="o", color=color, label=name)
        counts = sorted(table["patches"].unique())
        panel.set_xticks(counts, [f"{count:,}" for count in counts])
        panel.minorticks_off()
        panel.set(**({"yscale": "log"} if column == "seconds" else {"ylim": (0, None)}))
    figure.axes[0].legend(frameon=False, fontsize=8)
    save(figure, path)


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        table = measure(Path(folder))
    with replacing(out / "scaling.csv") as temporary:
        table.round(2).to_csv(temporary, index=False)
    draw(table, out / "scaling.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    main(parser.parse_args().out)
