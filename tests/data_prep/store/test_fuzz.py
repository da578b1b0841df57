"""Bits, bursts and ends of files: right data or one line, never a crash, a hang or silent garbage."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from data_prep.store import KEY, StoreWriter, make_rows, open_patches, write_concepts
from data_prep.store.hierarchy import ORIGIN_COLUMNS
from data_prep.store.verify import verify
from tests.data_prep.store import fuzzing
from tests.data_prep.store.fuzzing import GARBAGE, burst, cut, flips, judge
from tests.data_prep.store.samples import camelyon, demo, pannuke, pixels

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
COUNT = 70  # more than two chunks


def flat(path, brighter=0):
    """Every kind of dataset that a flat store can have."""
    texts = [f"tumor/é{number}/patches" for number in range(COUNT)]
    values = {"patch_no": range(COUNT), "entry": texts, "slide": "s", "patient": "p", "centre": "2", "role": "train"}
    rows = make_rows(COUNT, values | {"source": "a", "label": [0, 1] * 35, "x": 7, "mpp": 0.25})
    record = pd.DataFrame([("a", texts[0], "camelyon", "|u1", "<i8", "")], columns=list(ORIGIN_COLUMNS), dtype="str")
    images = pixels(COUNT)
    images[50, 4, 4, 1] += brighter
    made = {"extraction": json.dumps({"slides": ["s"] * 50}), "stain": "{}"}
    with StoreWriter(path, (8, 8), {"ncount": "nuclei", "narea": "px"}, (8, 8), record, made) as writer:
        concepts = {"ncount": np.arange(COUNT) * 1.5, "narea": np.r_[np.nan, np.arange(COUNT - 1)]}
        writer.append(images, rows, concepts, np.arange(COUNT * 64).reshape(COUNT, 8, 8) % 9)
    return path


def table(path):
    """A concept table of ours."""
    keys = pd.MultiIndex.from_product([["a"], [f"e{number}" for number in range(20)], [0]], names=KEY)
    values = pd.DataFrame({"ncount": np.arange(20.0), "narea": np.linspace(0, 1, 20)}, keys)
    values.attrs = {"units": {"ncount": "nuclei", "narea": "px"}, "descriptions": {"ncount": "how many"}}
    write_concepts(path, values, {"seed": 3})
    return path


def mutations(seeds, length):
    """Flips and bursts of the seeds, and ends at every 4 KiB."""
    return [kind(seed) for seed in seeds for kind in (flips, burst)] + [cut(end) for end in range(0, length, 4096)]


def judged(folder, make, seeds):
    sound = make(folder / "sound.h5")
    return Counter(judge(folder, sound, mutations(seeds, sound.stat().st_size)))


@pytest.mark.parametrize(("make", "seeds"), [(flat, range(100)), (table, range(40))], ids=["flat", "table"])
def test_damage_to_our_files_never_passes_for_data(tmp_path, make, seeds):
    verdicts = judged(tmp_path, make, seeds)
    assert set(verdicts) <= {"right", "refused"}
    assert verdicts["refused"] > len(seeds)  # the rest hit what nobody reads


@pytest.mark.parametrize("make", [camelyon, demo, pannuke])
def test_damage_to_original_layouts_ends(tmp_path, make):
    """They have no checksums, so what lies in them may come out changed."""
    assert set(judged(tmp_path, make, range(20))) <= {"right", "refused", GARBAGE}


def test_a_type_where_patches_belong_is_named(tmp_path):
    """Flip 1637 of the PanNuke file makes one of a dataset."""
    assert judge(tmp_path, pannuke(tmp_path / "sound.h5"), [flips(1637)]) == ["refused"]


@pytest.mark.parametrize("mutation", [burst(1000), flips(1005), flips(1057)])
def test_a_damaged_large_group_is_named(tmp_path, mutation):
    """HDF5 frees what it never filled where it lists such a group by name."""
    assert set(judge(tmp_path, flat(tmp_path / "sound.h5"), [mutation] * 3)) == {"refused"}


@pytest.mark.slow
@pytest.mark.parametrize("make", [flat, table])
def test_much_damage_to_our_files_never_passes_for_data(tmp_path, make):
    assert set(judged(tmp_path, make, range(1000, 2500))) <= {"right", "refused"}


def other(data):
    """A sound store with one other pixel."""
    with TemporaryDirectory() as folder:
        path = flat(Path(folder, "a.h5"), brighter=1)
        return path.read_bytes()


def crash(data):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(data):
    time.sleep(60)


def test_the_judge_knows_what_it_is_looking_for(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzing, "PATIENCE", 5)
    sound = flat(tmp_path / "sound.h5")
    assert verify([sound]) == []
    verdicts = judge(tmp_path, sound, [bytes, other, crash, hang, cut(100), bytes])
    assert verdicts == ["right", GARBAGE, "crashed", "hangs", "refused", "right"]


def test_a_changed_pixel_is_named(tmp_path):
    path = flat(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["patches"][41, 3, 3, 0] ^= 1
    patches = open_patches(path)
    np.testing.assert_array_equal(patches.read(0, 41), pixels(COUNT)[:41])
    for read in (lambda: patches.read(0, COUNT), lambda: patches.take([60, 41]), lambda: patches[41]):
        with pytest.raises(
            InputError, match=r"a\.h5: patch 41 is damaged \(its checksum differs\); copy the file again"
        ):
            read()
    (finding,) = verify([path])
    assert finding.redo == ("s",)


def test_a_store_without_checksums_is_read_with_a_warning(tmp_path):
    path = flat(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file["checksums"]
    np.testing.assert_array_equal(open_patches(path).read(0, COUNT), pixels(COUNT))
    (finding,) = verify([path])
    assert not finding.problem
    assert "no checksums of the patches" in finding.text


def test_an_older_store_is_to_be_made_again(tmp_path):
    path = flat(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 1
    with pytest.raises(InputError, match="format version 1 is not 2; make the store again"):
        open_patches(path)
