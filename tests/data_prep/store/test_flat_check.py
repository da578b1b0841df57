"""Flat stores from another program, or of ours and edited: named, whatever is wrong with them."""

import h5py
import numpy as np
import pytest

from data_prep.cli.verify import main
from data_prep.errors import InputError
from data_prep.store import StoreWriter, make_rows, open_concepts, open_patches, write_store
from data_prep.store.part import block_length
from tests.data_prep.store.samples import pixels


def put(name, value):
    """A change of a file that replaces the object `name`; a shape makes an empty dataset, None a group."""

    def change(file):
        if name in file:
            del file[name]
        if value is None:
            file.create_group(name)
        elif isinstance(value, tuple):
            file.create_dataset(name, value, "u1", chunks=(1, 64, 64, 3))
        else:
            file[name] = value

    return change


def labels(*values):
    return put("rows/label", np.array(values))


DAMAGE = [
    (put("rows/label", ["0", "1", "0"]), "rows/label is text; expected int64"),
    (labels(0, np.nan, 1), "rows/label is float64; expected int64"),
    (put("rows/label", 1), "rows/label has the shape ()"),
    (
        put("rows/label", np.zeros((3, 2), int)),
        r"rows/label has the shape (3, 2); expected one value for each of the 3",
    ),
    (put("rows/label", None), "rows/label is a group; expected a dataset"),
    (labels(0, 1, 7), "unknown label 7; known are -1, 0, 1"),
    (labels(0, 1, -2), "unknown label -2"),
    (put("rows/role", ["train", "test", ""]), "unknown role 'test'"),
    (put("rows/slide", np.zeros(3)), "rows/slide is float64; expected str"),
    (put("rows/mpp", ["a", "b", "c"]), "rows/mpp is text; expected float64"),
    (put("rows/mpp", np.array([np.nan, 0.25, 0.0])), "mpp 0; expected micrometres a pixel above 0"),
    (put("rows/mpp", np.array([0.5, -1.0, 0.5])), "mpp -1; expected"),
    (put("rows/mpp", np.array([0.5, np.inf, 0.5])), "mpp inf; expected"),
    (put("rows/x", np.array([1, 2, 2**64 - 1], np.uint64)), "rows/x is uint64; expected int64"),
    (put("rows", np.zeros(3)), "rows/source is missing"),
    (put("concepts", np.zeros(3)), "concepts is a dataset; expected a group"),
    (put("concepts/c", None), "concepts/c is a group; expected a dataset"),
    (put("concepts/c", np.zeros((3, 1))), "concepts/c has the shape (3, 1)"),
    (put("concepts/c", 1.0), "concepts/c has the shape ()"),
    (put("masks", None), "masks is a group; expected a dataset"),
    (put("masks", np.zeros((3, 8, 8, 2), "u2")), "masks is uint16 (3, 8, 8, 2)"),
    (put("masks", np.uint16(1)), "masks is uint16 ()"),
    (put("origin", None), "origin/source is missing"),
    (put("patches", None), "patches is a group; expected a dataset"),
    (put("patches", pixels(0)), "not a single patch"),
    (put("patches", (3, 200_000, 200_000, 3)), "patches have 200000x200000 pixels; patches have 1 to 4096 a side"),
    (put("patches", np.zeros((3, 0, 8, 3), "u1")), "patches have 0x8 pixels"),
    (lambda file: file.attrs.create("format_version", [1, 1]), "format version None is not 2"),
    (lambda file: file.attrs.create("complete", [True]), "not finished"),
    (put("rows/slide", np.array([b"\xff"] * 3)), "damaged"),
    (put("checksums", np.zeros(3, "u8")), "checksums is uint64; expected uint32"),
    (put("checksums", np.zeros(2, "u4")), "checksums has 2 rows beside 3 patches"),
]


def store(path):
    write_store(path, pixels(3), make_rows(3))
    return path


@pytest.mark.parametrize(("change", "message"), DAMAGE, ids=[message[:40] for _, message in DAMAGE])
def test_what_is_wrong_is_said_on_opening_and_by_verify(tmp_path, capsys, change, message):
    path = store(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        open_patches(path)
    assert message in str(caught.value)
    assert "a.h5: " in str(caught.value)
    with pytest.raises(SystemExit, match="1"):
        main([str(path), "--quiet"])
    lines = capsys.readouterr().out.splitlines()
    assert message in lines[0]
    assert lines[0].startswith(f"{path}: problem: ")
    if "rows/slide is" not in message and message != "damaged":
        with pytest.raises(InputError):
            open_concepts(path)


def test_narrow_integers_fit(tmp_path):
    path = store(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        put("rows/label", np.array([0, 1, -1], np.int8))(file)
        put("rows/x", np.array([0, 9, 2**32 - 1], np.uint32))(file)
    rows = open_patches(path).rows
    assert rows["label"].tolist() == [0, 1, -1]
    assert rows["x"].tolist() == [0, 9, 2**32 - 1]
    assert rows["label"].dtype == rows["x"].dtype == "int64"


def test_huge_patches_are_refused_in_a_hierarchy_and_by_the_writer(tmp_path):
    name = "normal/level7/centre2/patient055/node1/patches"
    with h5py.File(tmp_path / "a.h5", "w") as file:
        put(name, (3, 200_000, 200_000, 3))(file)
    with pytest.raises(InputError, match=f"{name} have 200000x200000 pixels"):
        open_patches(tmp_path / "a.h5")
    with pytest.raises(InputError, match=r"the patches have 8x5000 pixels; .* cut them smaller"):
        StoreWriter(tmp_path / "b.h5", (8, 5000))


def test_blocks_are_shorter_where_patches_are_large():
    assert block_length((224, 224)) == 256
    assert block_length((1024, 1024)) == 85
    assert block_length((4096, 4096)) == 5
