"""What a store says of its making travels with it."""

import json

import h5py
import pytest

from data_prep.cli.convert import main as convert
from data_prep.cli.verify import main as verify
from data_prep.errors import InputError
from data_prep.store import StoreWriter, make_rows, open_patches, read_attribute
from tests.data_prep.store.samples import pixels

TEXTS = {"extraction": json.dumps({"mpp": 0.25}), "stain": json.dumps({"method": "reinhard"})}


def store(path, attributes=TEXTS, seed=0):
    with StoreWriter(path, (8, 8), attributes=attributes) as writer:
        writer.append(pixels(3, seed=seed), make_rows(3, {"source": path.stem, "patch_no": range(3)}))
    return path


def test_texts_are_read_back_verified_and_carried_over(tmp_path):
    path = store(tmp_path / "a.h5")
    assert read_attribute(path, "extraction") == '{"mpp": 0.25}'
    assert read_attribute(path, "nothing") is None
    assert open_patches(path).attributes == TEXTS
    verify([str(path), "--quiet"])
    convert([str(path), str(tmp_path / "again.h5"), "--quiet"])
    assert open_patches(tmp_path / "again.h5").attributes == TEXTS
    assert read_attribute(store(tmp_path / "none.h5", None), "stain") is None


def test_where_files_differ_none_stands_for_both(tmp_path, capsys):
    store(tmp_path / "a.h5")
    store(tmp_path / "b.h5", TEXTS | {"stain": "null"}, seed=1)
    convert([f"a={tmp_path}/a.h5,b={tmp_path}/b.h5", str(tmp_path / "both.h5"), "--quiet"])
    assert "warning: the files differ in what they say of their stain" in capsys.readouterr().err
    assert open_patches(tmp_path / "both.h5").attributes == {"extraction": TEXTS["extraction"]}


@pytest.mark.parametrize("text", ["{", "[" * 100_000, 3, ["{}", "{}"], []])
def test_what_is_no_json_is_refused(tmp_path, text):
    path = store(tmp_path / "a.h5", None)
    with h5py.File(path, "r+") as file:
        file["made/stain"] = text
    with pytest.raises(InputError, match=r"a\.h5: made/stain is not JSON; make the store again"):
        read_attribute(path, "stain")


def test_a_long_text_is_kept(tmp_path):
    text = json.dumps(["slide é"] * 50_000)
    assert read_attribute(store(tmp_path / "a.h5", {"extraction": text}), "extraction") == text


def test_other_attributes_are_left_alone(tmp_path):
    path = store(tmp_path / "a.h5", None)
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "cut by hand"
    assert open_patches(path).attributes == {}
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["made/stain"] = "{}"
    assert read_attribute(tmp_path / "other.h5", "stain") is None
