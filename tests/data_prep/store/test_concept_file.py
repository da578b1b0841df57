"""Our concept table on disk."""

import json
from contextlib import suppress

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from data_prep.store import KEY, align_concepts, make_rows, open_concepts, write_concepts
from data_prep.store.verify import verify

COUNT = 5


def table(count=COUNT, **columns):
    keys = pd.MultiIndex.from_arrays([["ä"] * count, ["e"] * count, range(count)], names=KEY)
    frame = pd.DataFrame(columns or {"z": np.arange(count) / 3, "a": [np.nan] * count}, keys, dtype="float64")
    frame.attrs = {"units": {"z": "px"}, "descriptions": {"z": "size"}}
    return frame


def test_written_and_read(tmp_path):
    write_concepts(tmp_path / "c.h5", table(), {"seed": 3})
    read = open_concepts(tmp_path / "c.h5")
    pd.testing.assert_frame_equal(read, table(), check_index_type=False)
    assert list(read) == ["z", "a"]  # in the order of writing
    assert read.attrs == {"units": {"z": "px", "a": ""}, "descriptions": {"z": "size", "a": ""}}
    with h5py.File(tmp_path / "c.h5") as file:
        assert json.loads(file["made"].asstr()[0]) == {"seed": 3}
    rows = make_rows(3, {"source": "ä", "entry": "e", "patch_no": [4, 9, 0]})
    np.testing.assert_array_equal(align_concepts(read, rows)["z"], [4 / 3, np.nan, 0])
    with pytest.raises(InputError, match="not one patch has concepts"):
        align_concepts(read, rows.assign(source="b"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (table(0, z=[]), "not a single patch"),
        (table(2, z=[1, np.inf]), "z has infinite values; NaN stands for an absent one"),
        (table(2, **{"a/b": [1, 2]}), "a concept cannot be named 'a/b'"),
        (pd.concat([table(2), table(2)]), "two patches are called ä e #0"),
    ],
)
def test_what_is_not_written(tmp_path, bad, message):
    bad.attrs["units"] = {}
    with pytest.raises(InputError, match=message):
        write_concepts(tmp_path / "c.h5", bad)
    assert list(tmp_path.iterdir()) == []


def change(path, name, value=None, **attributes):
    with h5py.File(path, "r+") as file:
        file.attrs.update(attributes)
        if name:
            del file[name]
        if value is not None:
            file[name] = value


@pytest.mark.parametrize(
    ("name", "value", "attributes", "message"),
    [
        ("", None, {"format_version": 1}, "format version 1 is not 2; measure the concepts again"),
        ("", None, {"complete": False}, "was not finished; measure the concepts again"),
        ("concepts", None, {}, "concepts is not a group"),
        ("concepts", np.zeros(5), {}, "concepts is not a group"),
        ("rows/entry", None, {}, "the dataset rows/entry is missing"),
        ("rows/patch_no", None, {}, "the dataset rows/patch_no is missing"),
        ("rows/patch_no", np.zeros(5, "int64"), {}, "two patches are called ä e #0"),
        ("rows/patch_no", np.zeros(()), {}, "rows/patch_no is float64; expected numbers"),
        ("rows/source", np.zeros(5), {}, "rows/source is float64; expected text"),
        ("concepts/z", np.zeros(4), {}, r"concepts/z has the shape \(4,\) beside 5 patches"),
        ("concepts/z", np.zeros((5, 1)), {}, r"concepts/z has the shape \(5, 1\)"),
        ("concepts/z", np.full(5, b"1"), {}, r"concepts/z is \|S1; expected numbers"),
        ("concepts/z", np.full(5, np.inf), {}, "z has infinite values"),
    ],
)
def test_damage_is_one_line(tmp_path, name, value, attributes, message):
    write_concepts(tmp_path / "c.h5", table())
    change(tmp_path / "c.h5", name, value, **attributes)
    with pytest.raises(InputError, match=message) as caught:
        open_concepts(tmp_path / "c.h5")
    assert str(caught.value).startswith(str(tmp_path / "c.h5"))


def test_verify_knows_a_concept_table(tmp_path):
    write_concepts(tmp_path / "c.h5", table())
    (finding,) = verify([tmp_path / "c.h5"])
    assert not finding.problem
    assert finding.text == "the concept a has no value in any row; measure it again or leave it out"
    change(tmp_path / "c.h5", "rows/entry")
    (finding,) = verify([tmp_path / "c.h5"])
    assert finding.problem
    assert "rows/entry is missing" in finding.text


def test_a_column_that_claims_more_than_the_file_holds(tmp_path):
    write_concepts(tmp_path / "c.h5", table())
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        for name in ("rows/source", "rows/entry", "rows/patch_no", "concepts/z", "concepts/a"):
            dtype = file[name].dtype
            del file[name]
            file.create_dataset(name, (10**12,), dtype)
    with pytest.raises(InputError, match="holds no values"):
        open_concepts(tmp_path / "c.h5")


def test_random_damage_is_one_line_or_none(tmp_path):
    write_concepts(tmp_path / "sound.h5", table())
    sound = (tmp_path / "sound.h5").read_bytes()
    for seed in range(60):
        random = np.random.default_rng(seed)
        data = bytearray(sound)
        for place in random.integers(0, len(data), 6):
            data[place] ^= 1 << random.integers(8)
        (tmp_path / "c.h5").write_bytes(data[: len(data) if seed % 3 else random.integers(len(data))])
        with suppress(InputError):
            assert len(open_concepts(tmp_path / "c.h5")) == COUNT
