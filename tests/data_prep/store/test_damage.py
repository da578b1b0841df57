"""Stores with random damage: reading ends in the right kind of data or in one line, never in another exception."""

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from data_prep.store import ROW_COLUMNS, make_rows, open_concepts, open_patches, write_store
from data_prep.store.verify import verify
from tests.data_prep.store.samples import camelyon, pannuke, pixels

COUNT = 6
DTYPES = ("f4", "f8", "i1", "u2", "i8", "u8", "?", "S3", "c8")


def flat(path):
    rows = make_rows(COUNT, {"patch_no": range(COUNT), "slide": "s", "patient": "p", "label": [0, 1, -1] * 2})
    concepts = pd.DataFrame({"narea": np.arange(COUNT) * 1.5})
    concepts.attrs["units"] = {"narea": "px"}
    write_store(path, pixels(COUNT), rows, concepts, np.ones((COUNT, 8, 8), int))
    return path


def flip(path, random):
    """Up to eight bytes changed anywhere."""
    data = bytearray(path.read_bytes())
    for place in random.integers(0, len(data), random.integers(1, 9)):
        data[place] = random.integers(256)
    path.write_bytes(data)


def head(path, random):
    """As `flip`, in the first KiB, where most of the structure lies."""
    data = bytearray(path.read_bytes())
    for place in random.integers(0, min(1024, len(data)), 3):
        data[place] ^= 1 << random.integers(8)
    path.write_bytes(data)


def cut(path, random):
    """The file ends anywhere."""
    path.write_bytes(path.read_bytes()[: random.integers(path.stat().st_size)])


def blank(path, random):
    """A stretch of zeros, as a disk that filled up leaves."""
    data = bytearray(path.read_bytes())
    start = random.integers(len(data))
    stop = min(len(data), start + random.integers(1, 2048))
    data[start:stop] = bytes(stop - start)
    path.write_bytes(data)


def retype(path, random):
    """One dataset or group becomes something else: another type, shape or kind."""
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = names[random.integers(len(names))]
        del file[name]
        shape = tuple(random.integers(0, 7, random.integers(5)))
        if random.random() < 0.1:
            file.create_group(name)
        else:
            file[name] = np.zeros(shape, DTYPES[random.integers(len(DTYPES))])


def odd_type(path, random):
    """One column becomes a compound or nothing at all."""
    with h5py.File(path, "r+") as file:
        names = [f"rows/{name}" for name in ROW_COLUMNS if f"rows/{name}" in file] or list(file)
        name = names[random.integers(len(names))]
        del file[name]
        file[name] = h5py.Empty("f8") if random.random() < 0.5 else np.zeros(COUNT, "i4,f4")


MUTATIONS = (flip, head, cut, blank, retype, odd_type)


def read_all(path):
    """Everything that the readers give is of the right kind, or an InputError that `verify` knows of too."""
    refused = ""
    try:
        with open_patches(path) as patches:
            assert tuple(patches.rows) == ROW_COLUMNS
            assert set(patches.rows["label"]) <= {-1, 0, 1}
            block = patches.read(0, len(patches))
            assert block.dtype == np.uint8
            assert block.shape == (len(patches.rows), *patches.size, 3)
            if patches.mask_shape:
                assert patches.read_masks(0, len(patches)).shape == (len(patches), *patches.mask_shape)
        table = open_concepts(path)
        assert set(table.dtypes.astype(str)) <= {"float64"}
        assert list(table.attrs["units"]) == list(table)
    except InputError as error:
        refused = str(error)
        assert str(path) in refused
    findings = verify([path])
    assert any(finding.problem for finding in findings) or not refused, refused


def damage_and_read(folder, make, mutate, seeds):
    sound = make(folder / "sound.h5").read_bytes()
    for seed in seeds:
        path = folder / f"{seed}.h5"
        path.write_bytes(sound)
        mutate(path, np.random.default_rng(seed))
        read_all(path)
        path.unlink()


def test_a_sound_file_has_nothing_to_say(tmp_path):
    assert verify([flat(tmp_path / "a.h5")]) == []
    read_all(tmp_path / "a.h5")


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
@pytest.mark.parametrize("make", [flat, camelyon, pannuke], ids=lambda make: make.__name__)
def test_damage_ends_in_one_line(tmp_path, make, mutate):
    damage_and_read(tmp_path, make, mutate, range(12 if make is flat else 4))


@pytest.mark.slow
# HDF5 itself may never return from changed bytes in the original layouts; `test_fuzz` reads such files in processes.
@pytest.mark.parametrize("mutate", [cut, retype, odd_type], ids=lambda mutate: mutate.__name__)
@pytest.mark.parametrize("make", [flat, camelyon, pannuke], ids=lambda make: make.__name__)
def test_much_damage_ends_in_one_line(tmp_path, make, mutate):
    damage_and_read(tmp_path, make, mutate, range(1000, 1200 if make is flat else 1050))
