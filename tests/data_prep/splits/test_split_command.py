import csv
import json
import re

import numpy as np
import pandas as pd
import pytest

from data_prep.cli.split import main
from data_prep.splits import read_split, split_by_patient
from data_prep.splits.metadata import read_metadata
from data_prep.splits.plan import centre_tables
from data_prep.store import make_rows, open_patches, write_store
from tests.data_prep.splits.test_near import textures

COUNT = 120


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """20 patients of 6 patches on two slides, 4 centres (one with an unkind name), both classes."""
    path = tmp_path_factory.mktemp("split") / "store.h5"
    number = np.arange(COUNT)
    patient = number // 6
    centres = np.array(["0", "1", "2", "../x y"])[patient % 4]
    values = {
        "patch_no": number,
        "patient": [f"camelyon17_patient{p:03}" for p in patient],
        "slide": [f"camelyon17_patient{p:03}_node{n % 2}" for p, n in zip(patient, number, strict=True)],
        "centre": centres,
        "label": number % 2,
        "x": number * 10,
        "y": number * 5,
    }
    write_store(path, textures(COUNT, 32), make_rows(COUNT, values))
    return path


@pytest.fixture(scope="module")
def rows(store):
    with open_patches(store) as patches:
        return patches.rows


def run(capsys, *arguments):
    """(exit status, output, errors)."""
    status = 0
    try:
        main([*map(str, arguments), "--quiet"])
    except SystemExit as stop:
        status = stop.code
    return status, *capsys.readouterr()


def test_by_patient_with_external_centres(store, rows, tmp_path, capsys):
    out = tmp_path / "split.csv"
    status, text, _ = run(capsys, store, "--out", out, "--external-centres", "1", "2", "--seed", "3")
    assert status == 0
    roles = read_split(out, rows)
    np.testing.assert_array_equal(roles, split_by_patient(rows, 3, external_centres=("1", "2")))
    assert ["external_test", "all", "30", "30", "0", "10", "20"] in [line.split() for line in text.splitlines()]
    made = json.loads((tmp_path / "split.json").read_text())
    assert made["request"]["seed"] == 3
    assert made["near_duplicates"]["compared"] == COUNT
    assert made["leaks_allowed"] == []
    assert run(capsys, store, "--out", out)[0] == 2
    assert run(capsys, store, "--out", out, "--overwrite")[0] == 0


def test_folds_and_centres_are_folders_of_tables(store, rows, tmp_path, capsys):
    assert run(capsys, store, "--out", tmp_path / "folds", "--folds", "4")[0] == 0
    tables = [read_split(path, rows) for path in sorted((tmp_path / "folds").glob("split-fold-*.csv"))]
    assert len(tables) == 4
    np.testing.assert_array_equal(sum((table == "internal_test").astype(int) for table in tables), np.ones(COUNT))
    status, _, errors = run(capsys, store, "--out", tmp_path / "folds", "--folds", "3", "--overwrite")
    assert status == 2
    assert "holds split-fold-3.csv of another split" in errors
    assert run(capsys, store, "--out", tmp_path / "centres", "--leave-one-centre-out")[0] == 0
    names = sorted(path.name for path in (tmp_path / "centres").glob("*.csv"))
    assert names == ["split-centre-0.csv", "split-centre-1.csv", "split-centre-2.csv", "split-centre-_x_y.csv"]
    roles = read_split(tmp_path / "centres" / "split-centre-_x_y.csv", rows)
    np.testing.assert_array_equal(roles == "external_test", rows["centre"] == "../x y")
    assert set(roles) == {"train", "validation", "internal_test", "external_test"}


def _wilds(rows):
    number = rows["patient"].str[-3:].astype(int)
    split = np.where(number < 10, 0, 1)
    node = rows["slide"].str[-1]
    meta = {"patient": number, "node": node, "x_coord": rows["x"], "y_coord": rows["y"], "tumor": rows["label"]}
    return pd.DataFrame(meta | {"slide": 99, "center": rows["centre"], "split": split})


def test_wilds_metadata_is_matched_by_slide_and_place(store, rows, tmp_path, capsys):
    meta = _wilds(rows)
    meta.loc[0, "x_coord"] = 7  # a line that no patch fits, and a patch that no line names
    meta.to_csv(tmp_path / "metadata.csv", index=False)
    out = tmp_path / "split.csv"
    request = [store, "--out", out, "--from", tmp_path / "metadata.csv"]
    status, _, errors = run(capsys, *request)
    assert status == 2
    assert "no role '0'" in errors
    assert "--map 0=train,1=validation" in errors
    status, _, errors = run(capsys, *request, "--map", "0=train,1=validation", "--external-centres", "2")
    assert status == 0
    assert "1 of 120 keys of the table are not in the store, first camelyon17_patient000_node0, 7, 0" in errors
    assert "1 of 120 rows of the store are not in the table and get no role" in errors
    expected = np.where(meta["split"] == 0, "train", "validation").astype(object)
    expected[0] = ""
    expected[rows["centre"] == "2"] = "external_test"
    np.testing.assert_array_equal(read_split(out, rows), expected)


@pytest.mark.parametrize("columns", [["patient", "role"], ["slide", "role"], ["patient", "node", "split"]])
def test_tables_of_patients_and_slides(store, rows, tmp_path, capsys, columns):
    number = rows["patient"].str[-3:].astype(int)
    role = pd.Series(np.where(number < 15, "train", "test"))
    short = "node" in columns
    table = pd.DataFrame({"patient": number if short else rows["patient"], "slide": rows["slide"]})
    table = table.assign(node=rows["slide"].str[-1], role=role, split=role)[columns].drop_duplicates()
    table.to_csv(tmp_path / "roles.csv", index=False)
    assert run(capsys, store, "--out", tmp_path / "s.csv", "--from", tmp_path / "roles.csv")[0] == 0
    np.testing.assert_array_equal(read_split(tmp_path / "s.csv", rows), role.replace("test", "internal_test"))


def test_a_quoted_header_is_a_header(store, rows, tmp_path, capsys):
    role = np.where(rows["patient"].str[-3:].astype(int) < 15, "train", "validation")
    table = pd.DataFrame({"patient": rows["patient"], "split": role}).drop_duplicates()
    table.to_csv(tmp_path / "roles.csv", index=False, quoting=csv.QUOTE_ALL)
    assert run(capsys, store, "--out", tmp_path / "s.csv", "--from", tmp_path / "roles.csv")[0] == 0
    np.testing.assert_array_equal(read_split(tmp_path / "s.csv", rows), role)


def test_a_line_without_a_name_is_not_what_has_none(tmp_path):
    rows = make_rows(4, {"slide": ["s1", "", "s1", ""], "patient": ["p1", "", "p1", ""]})
    (tmp_path / "roles.csv").write_text("slide,split\ns1,train\n,test\n")
    assert list(read_metadata(tmp_path / "roles.csv", rows)) == ["train", "", "train", ""]


def test_centres_whose_names_come_to_the_same_have_a_table_each():
    number = np.arange(240)
    centres = np.array(["2-a_b", "a b", "a_b", "A_b"])[number // 60]
    rows = make_rows(240, {"patient": [f"p{n // 3}" for n in number], "centre": centres, "label": number % 2})
    tables = centre_tables(rows, 0)
    assert len({name.lower() for name in tables}) == 4
    for centre, roles in zip(sorted(set(centres)), tables.values(), strict=True):
        np.testing.assert_array_equal(roles == "external_test", rows["centre"] == centre)


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (
            "patient,role\ncamelyon17_patient001,train\ncamelyon17_patient001,test\n",
            [],
            "'camelyon17_patient001' has two",
        ),
        ("patient,role\nnobody,train\n", [], "no line names a slide or patient of the store"),
        ("patient,centre\ncamelyon17_patient001,1\n", [], "no column split or role"),
        ("patient,split\ncamelyon17_patient001,5\n", ["--map", "4=train"], "--map names '4'"),
        ("patient,split\ncamelyon17_patient001,5\n", ["--map", "5"], "'5' says no role"),
        ("patient,split\ncamelyon17_patient001,5\n", ["--map", "5="], "gives none of 120 rows a role"),
        ("slide,x,y,role\ncamelyon17_patient001_node1,1,1,train\n", [], "no line fits a row of the store"),
        ("slide,x,y,role\ncamelyon17_patient001_node1,a,1,train\n", [], "x is 'a', not a number"),
        ("row,role\n0,train\n", ["--map", "5="], "--map is for tables with a column split"),
        ("row,role\n0,train\n", ["--folds", "2"], "choose one of"),
        ("", [], "gives none of 120 rows a role"),
    ],
)
def test_tables_that_do_not_fit_are_refused_in_one_line(store, tmp_path, capsys, text, more, message):
    (tmp_path / "roles.csv").write_text(text)
    status, _, errors = run(capsys, store, "--out", tmp_path / "s.csv", "--from", tmp_path / "roles.csv", *more)
    assert status == 2
    assert [line for line in errors.splitlines() if not line.startswith("warning")] == errors.splitlines()[-1:]
    assert re.search(message, errors)
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "s.txt"], "name a .csv file"),
        (["--out", "s.csv", "--map", "a=train"], "give that file too"),
        (["--out", "s", "--folds", "3", "--leave-one-centre-out"], "choose one of"),
        (["--out", "s", "--folds", "3", "--external-centres", "1"], "goes with one table"),
        (["--out", "s", "--folds", "3", "--fractions", ".5", ".2", ".3"], "no meaning with --folds"),
        (["--out", "s.csv", "--external-centres", "9"], "no patch has it"),
        (["--out", "s.csv", "--from", "nowhere.csv"], "nowhere.csv: there is no such file"),
    ],
)
def test_requests_that_make_no_sense(store, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, _, errors = run(capsys, store, *arguments)
    assert status == 2
    assert message in errors
    assert list(tmp_path.iterdir()) == []


def test_near_duplicates_block_are_dropped_or_recorded(tmp_path, capsys):
    patches = textures(20, 48)
    patches[15] = patches[2][:, ::-1]
    values = {"patient": [str(row // 5) for row in range(20)], "label": np.arange(20) % 2}
    write_store(tmp_path / "a.h5", patches, make_rows(20, values))
    roles = np.repeat(["train", "train", "validation", "internal_test"], 5)
    lines = "".join(f"{row},{role}\n" for row, role in enumerate(roles))
    (tmp_path / "given.csv").write_text("row,role\n" + lines)
    request = [tmp_path / "a.h5", "--out", tmp_path / "s.csv", "--from", tmp_path / "given.csv"]
    status, _, errors = run(capsys, *request)
    assert status == 2
    assert "1 pair of near-duplicate patches in two roles: rows 2 (slide unknown, train) and 15" in errors
    assert not (tmp_path / "s.csv").exists()
    status, text, _ = run(capsys, *request, "--drop-duplicates")
    assert (status, "1 near-duplicate patches serve nothing" in text) == (0, True)
    with open_patches(tmp_path / "a.h5") as store:
        written = read_split(tmp_path / "s.csv", store.rows)
    assert np.flatnonzero(written != roles).tolist() == [2]
    assert written[2] == ""
    assert run(capsys, *request, "--allow-leak", "--overwrite")[0] == 0
    made = json.loads((tmp_path / "s.json").read_text())
    assert made["leaks_allowed"][0].startswith("1 pair of near-duplicate patches")


def test_the_repeats_of_real_camelyon_block_a_split_by_patient(shared, tmp_path, capsys):
    store = shared / "data" / "camelyon" / "cam17_patches.hdf5"
    request = [store, "--out", tmp_path / "s.csv", "--fractions", ".5", "0", ".5"]
    status, _, errors = run(capsys, *request)
    assert status == 2
    assert "10 pairs of near-duplicate patches in two roles: rows 0 (camelyon17_patient010_node4, train)" in errors


def test_fractions_that_are_no_numbers_are_refused(store, tmp_path, capsys):
    status, _, errors = run(capsys, store, "--out", tmp_path / "a.csv", "--fractions", "nan", "0.5", "0.5")
    assert status == 2
    assert "give three shares" in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "kept", "flags"), [("a.csv", "a.json", ()), ("f", "f/split-fold-1.json", ("--folds", "2"))]
)
def test_a_json_that_is_there_is_kept(out, kept, flags, store, tmp_path, capsys):
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_text("mine")
    status, _, errors = run(capsys, store, "--out", tmp_path / out, *flags)
    assert status == 2
    assert f"{tmp_path / kept}: exists already" in errors
    assert [path.read_text() for path in tmp_path.rglob("*.*")] == ["mine"]


def few(tmp_path, centres):
    """A store of a patient for each of `centres`, with four patches of both classes."""
    count = 4 * len(centres)
    owner = np.arange(count) // 4
    values = {"patient": owner.astype(str), "centre": np.array(centres)[owner], "label": np.arange(count) % 2}
    write_store(tmp_path / "few.h5", textures(count, 32), make_rows(count, values | {"patch_no": np.arange(count)}))
    return tmp_path / "few.h5"


def test_roles_of_few_patients_are_named_in_one_line(tmp_path, capsys):
    store = few(tmp_path, ["0"] * 6 + ["1"] * 6)
    status, _, errors = run(capsys, store, "--out", tmp_path / "s.csv")
    assert status == 0
    assert errors.splitlines() == [
        "warning: fewer than 5 patients: validation (2), internal_test (2); they say little of how patients differ"
    ]
    status, _, errors = run(capsys, store, "--out", tmp_path / "folds", "--folds", "2")
    assert (status, errors.count("warning: fewer than 5 patients in some tables: validation (1);")) == (0, 1)


def test_the_centre_without_which_too_few_are_left_is_named(tmp_path, capsys):
    store = few(tmp_path, ["0", "0", "0", "1"])
    status, _, errors = run(capsys, store, "--out", tmp_path / "centres", "--leave-one-centre-out")
    assert status == 2
    assert "with centre 0 left out: 1 patient with labels for 3 parts" in errors
    assert not (tmp_path / "centres").exists()
