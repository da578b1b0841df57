"""Commands on a disk that is full or read-only: one line, and what was there stays."""

import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_prep.store import make_rows, write_store


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A store with roles and a concept, images with their table, and a slide."""
    folder = tmp_path_factory.mktemp("sources")
    rows = make_rows(64, {"patch_no": range(64), "slide": "s", "patient": "p", "label": [0, 1] * 32, "role": "train"})
    rows["mpp"] = 0.25
    random = np.random.default_rng(0)
    images = random.integers(60, 200, (64, 64, 64, 3), np.uint8)
    concepts = pd.DataFrame({"ncount": np.arange(64.0)})
    concepts.attrs["units"] = {"ncount": "nuclei"}
    write_store(folder / "store.h5", images, rows, concepts)
    for number in range(40):
        Image.fromarray(images[number]).save(folder / f"{number}.png")
    pd.DataFrame({"path": [f"{n}.png" for n in range(40)], "label": "normal"}).to_csv(folder / "t.csv", index=False)
    slide = np.full((400, 500, 3), 245, np.uint8)
    slide[50:350, 50:450] = random.integers(120, 181, (300, 400, 3))
    Image.fromarray(slide).save(folder / "slide.png")
    return folder


EXTRACT = "extract {s}/slide.png --size 64 --n 9 --slide-mpp 0.5 --mpp 0.5 --out {d}/out.h5 --quiet"
COMMANDS = {
    "convert": "convert {s}/t.csv {d}/out.h5 --quiet",
    "normalize": "normalize {s}/store.h5 --out {d}/out.h5 --quiet",
    "nuclei": "nuclei {s}/store.h5 --out {d}/out.h5 --quiet",
    "concepts": "concepts {s}/store.h5 --out {d}/out.h5 --quiet",
    "extract": EXTRACT,
    "report": "report {s}/store.h5 --out {d}/out.html",
}


def command(name, sources, disk):
    """The command over a file that is there already, which is no store and must stay until the new one is whole."""
    filled = COMMANDS[name].format(s=sources, d=disk.place).split()
    (disk.before / filled[filled.index("--out") + 1 if "--out" in filled else 2].rpartition("/")[2]).write_text("good")
    return [sys.executable, "-m", "data_prep", *filled, "--overwrite"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(disk, sources, name):
    room = 100_000 if name == "extract" else 8192  # its state and summary, not its patches
    disk.full(command(name, sources, disk), room).require_refusal("no space is left on the disk; free some or choose")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_read_only_disk(disk, sources, name):
    disk.read_only(command(name, sources, disk)).require_refusal("could not be written: this place is ")
