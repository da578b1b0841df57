"""All comparisons in one table of ratios, and how time and memory grow with the data: `make bench`.

    python -m benchmarks.bench [--only WORDS …] [--out benchmarks/results]

Each row times ours and its peers in turns, over several rounds, on the same data. A ratio is how many times as long the
peer takes for one item, by wall clock: the median over the rounds, with the least and the largest. Written are
`results.md` and, by `benchmarks/scaling.py` where no row is named, `scaling.csv` and `scaling.png`. Peers are in
`benchmarks/requirements.txt`.
"""

import argparse
import os
import platform
import time
from pathlib import Path

from benchmarks import scaling
from benchmarks.rows import OURS, ROWS, one_thread
from benchmarks.timing import Timing, take_turns

HEAD = "| work | ours, ms | beside | its time over ours (least to largest) | rounds |\n|---|--:|---|--:|--:|\n"


def lines_of(name: str, unit: str, rounds: int, timing: Timing) -> list[str]:
    """The table lines of a row: one a peer."""
    ours = f"{timing.median(OURS) * 1e3:.3g} a {unit}"
    peers = [peer for peer in timing.names if peer != OURS]
    return [f"| {name} | {ours} | {peer} | {timing.ratio(peer, OURS)} | {rounds} |" for peer in peers]


def measure(words: list[str]) -> list[str]:
    """The lines of all rows whose names hold one of `words`, or of all; each is printed when it is there."""
    lines = []
    for name, (unit, rounds, row) in ROWS.items():
        if words and not any(word in name for word in words):
            continue
        with row() as rivals:
            found = lines_of(name, unit, rounds, take_turns(rivals, rounds))
        print("\n".join(found), flush=True)
        lines += found
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], metavar="WORDS", help="rows whose names hold one of these")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of results.md")
    options = parser.parse_args()
    one_thread()
    began = time.perf_counter()
    lines = measure(options.only)
    if not options.only:
        scaling.main(options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    took = f"Measured by `make bench` on {machine}, in {(time.perf_counter() - began) / 60:.0f} minutes.\n\n"
    (options.out / "results.md").write_text(took + HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
