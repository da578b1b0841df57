"""Training needs no more memory for more patches, once there are more than a window holds."""

import re
import subprocess
import sys

import numpy as np
import pytest

from data_prep.store import make_rows, write_store
from tests.builders import TINY

SIDE, MARGIN = 96, 40  # pixels, MiB
# A window of 4 MiB, so that a few patches are more than one holds.
TRAIN = f"""
import re, sys
from pathlib import Path
from mta.backend import start_quietly
start_quietly()
from mta.data import inputs
inputs.WINDOW_BYTES = 4 * 2**20
from mta.train import train
settings = {{**{TINY!r}, "epochs": (1, 0), "batch_size": 32, "preset": "baseline", "augment": ("flips", "hed")}}
train(sys.argv[1], sys.argv[2], quiet=True, balance="class", **settings)
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def peak(folder, count):
    """Peak memory of a process that trains on `count` patches of 27 KiB, MiB."""
    number = np.arange(count)
    roles = np.where(number // 100 % 5 == 4, "validation", "train")
    texts = {"role": roles, "patient": [f"p{n // 100}" for n in number], "entry": [f"{n}.png" for n in number]}
    pixels = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), "uint8")
    write_store(folder / f"{count}.h5", pixels, make_rows(count, {**texts, "label": number % 2}))
    command = [sys.executable, "-c", TRAIN, str(folder / f"{count}.h5"), str(folder / f"run-{count}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(re.findall(r"\d+", done.stdout)[-1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from /proc")
def test_peak_memory_does_not_follow_the_number_of_patches(tmp_path):
    few, many = peak(tmp_path, 500), peak(tmp_path, 2500)
    assert many - few < MARGIN, f"{few:.0f} MiB for 13 MiB of patches, {many:.0f} MiB for 66 MiB"
