"""The layout of the original's concept file, written and read."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.concepts.original import python2_str, write_original
from data_prep.errors import InputError
from data_prep.store import KEY, STANDARDIZED, open_concepts

ENTRY = "normal/level7/centre1/patient030/node4/patches"


def table(values, keys=None):
    keys = keys or [("all500", ENTRY, number) for number in range(len(next(iter(values.values()))))]
    frame = pd.DataFrame(values, index=pd.MultiIndex.from_tuples(keys, names=KEY), dtype="float64")
    frame.attrs["units"] = dict.fromkeys(values, "px")
    return frame


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5717621, "0.5717621"),
        (-0.14969123456789123, "-0.149691234568"),
        (2.0, "2.0"),
        (-0.0, "-0.0"),
        (1e12, "1e+12"),
        (123456789012.0, "123456789012.0"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1 / 3, "0.333333333333"),
        (1.0000000000001, "1.0"),
    ],
)
def test_floats_as_python_2_printed_them(value, text):
    assert python2_str(value) == text


def test_what_is_written_is_read_back(tmp_path):
    random = np.random.default_rng(0)
    raw = table({"ncount": random.integers(0, 90, 40), "narea": random.normal(100, 20, 40)})
    raw.iloc[3, 1] = np.nan
    training = np.arange(40) < 25
    scales = write_original(tmp_path / "o.h5", raw, training)
    read = open_concepts(tmp_path / "o.h5")
    assert read.attrs["units"] == {"ncount": STANDARDIZED, "narea": STANDARDIZED}
    restored = read.loc[raw.index, list(raw)] * scales["std"] + scales["mean"]
    np.testing.assert_allclose(restored, raw, rtol=1e-10, atol=1e-9)
    scores = read.loc[raw.index][training]
    np.testing.assert_allclose(scores.mean(), 0, atol=1e-10)
    np.testing.assert_allclose(scores.std(ddof=0), 1, atol=1e-10)
    with h5py.File(tmp_path / "o.h5") as file:
        assert pd.DataFrame(json.loads(file.attrs["scales"])).T.equals(scales)
        value = file[f"all500/{ENTRY}/7/narea"]
        assert value.shape == (1,)
        assert value.dtype.kind == "S"
        assert value.dtype.itemsize == len(value[0]) <= 17
        assert f"all500/{ENTRY}/3/narea" not in file
        assert f"all500/{ENTRY}/3/ncount" in file


def test_entries_of_all_kinds(tmp_path):
    keys = [("s", "", 3), ("s", "a.png", 0), ("t", "x/7/center/patch", 0), ("t", "x/7", 12)]
    raw = table({"c": [1.0, 2, 4, 9]}, keys)
    write_original(tmp_path / "o.h5", raw, np.ones(4, bool))
    assert sorted(open_concepts(tmp_path / "o.h5").index) == sorted(raw.index)


@pytest.mark.parametrize(
    ("source", "entry"), [("a/b", "e"), ("s", "/e"), ("s", "./e"), ("s", "e//f"), ("", "e"), ("s", "e ")]
)
def test_names_that_would_come_back_as_others(tmp_path, source, entry):
    raw = table({"c": [1.0, 2]}, [(source, entry, 0), (source, entry, 1)])
    with pytest.raises(InputError, match="cannot be a path in the original's layout"):
        write_original(tmp_path / "o.h5", raw, np.ones(2, bool))
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_vary_is_left_out(tmp_path):
    raw = table({"c": [1.0, 2, 3], "flat": [5.0, 5, 6], "none": [np.nan, np.nan, 1]})
    assert list(write_original(tmp_path / "o.h5", raw, np.array([True, True, False])).index) == ["c"]
    assert list(open_concepts(tmp_path / "o.h5")) == ["c"]
    with pytest.raises(InputError, match="no concept varies over the 2 rows"):
        write_original(tmp_path / "p.h5", raw[["flat", "none"]], np.array([True, True, False]))
    assert not (tmp_path / "p.h5").exists()


def test_the_authors_file_survives_the_round(shared, tmp_path):
    """Scores over a set that is not at hand, standardized again, differ by one line a concept; texts are alike."""
    authors = open_concepts(shared / "data" / "camelyon" / "demo_concept_measures.h5")
    scales = write_original(tmp_path / "o.h5", authors, np.ones(len(authors), bool))
    again = open_concepts(tmp_path / "o.h5").loc[authors.index, list(authors)]
    np.testing.assert_allclose(again * scales["std"] + scales["mean"], authors, rtol=1e-9, atol=1e-11)
    with (
        h5py.File(shared / "data" / "camelyon" / "demo_concept_measures.h5") as old,
        h5py.File(tmp_path / "o.h5") as new,
    ):
        names: list[str] = []
        old.visititems(lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None)
        assert len(names) == 300
        for name in names:
            assert (new[name].shape, new[name].dtype.kind) == (old[name].shape, old[name].dtype.kind) == ((1,), "S")
            assert python2_str(float(old[name][0])).encode() == old[name][0]
