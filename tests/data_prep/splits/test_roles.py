import errno
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.splits import (
    ROLES,
    assign_roles,
    check_leaks,
    fold_roles,
    patient_keys,
    read_split,
    require_disjoint,
    split_by_patient,
    write_split,
)
from data_prep.splits.roles import inseparable_keys
from data_prep.store import open_patches


def make_rows(patients, labels=None, centres=None, **columns):
    """A row table with the columns that splits look at."""
    n = len(patients)
    return pd.DataFrame(
        {
            "source": ["all500"] * n,
            "entry": ["tumor/level7/centre0/patient001/node0/patches"] * n,
            "patch_no": np.arange(n),
            "patient": [str(patient) for patient in patients],
            "slide": [f"{patient}_0" if patient != "" else "" for patient in patients],
            "centre": [str(c) for c in centres] if centres is not None else ["0"] * n,
            "label": list(labels) if labels is not None else [0, 1] * (n // 2) + [0] * (n % 2),
            "role": [""] * n,
        }
        | columns
    )


def straddlers(keys, roles):
    pairs = {(key, role) for key, role in zip(keys, roles, strict=True) if role}
    return len(pairs) - len({key for key, _ in pairs})


@st.composite
def row_tables(draw):
    n = draw(st.integers(24, 80))
    patients = draw(st.lists(st.sampled_from(["", *map(str, range(12))]), min_size=n, max_size=n))
    centres = draw(st.lists(st.sampled_from("0123"), min_size=n, max_size=n))
    labels = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n))
    patients[:6], labels[:6] = map(str, range(6)), [0, 1, 0, 1, 0, 1]  # enough labelled patients for any split
    rows = make_rows(patients, labels, centres)
    for row, slide in draw(st.dictionaries(st.integers(6, n - 1), st.sampled_from(["", "6_0", "7_0"]))).items():
        rows.loc[row, "slide"] = slide  # also of another patient than the one it is named after
    return rows


def unless_too_few(split, *arguments):
    """What `split` gives; shared slides can leave fewer separable patients than parts, which it rightly refuses."""
    try:
        return split(*arguments)
    except InputError as error:
        if "fewer patients than parts" not in str(error):
            raise
        reject()


@settings(max_examples=60, deadline=None)
@given(row_tables(), st.integers(0, 5))
def test_a_split_never_shares_a_patient_and_is_the_same_again(rows, seed):
    roles = unless_too_few(split_by_patient, rows, seed)
    assert straddlers(patient_keys(rows), roles) == 0
    assert set(roles) == set(ROLES[:3])
    assert check_leaks(rows, roles) == []
    np.testing.assert_array_equal(roles, split_by_patient(rows, seed))


@settings(max_examples=40, deadline=None)
@given(row_tables(), st.integers(0, 5), st.integers(2, 5))
def test_folds_test_every_labelled_row_once_and_never_share_a_patient(rows, seed, count):
    folds = unless_too_few(fold_roles, rows, count, seed)
    keys = patient_keys(rows)
    units = inseparable_keys(rows)
    labelled = np.isin(units, units[rows["label"] >= 0])
    tested = sum((roles == "internal_test").astype(int) for roles in folds)
    np.testing.assert_array_equal(tested, labelled.astype(int))
    for roles in folds:
        assert straddlers(keys, roles) == 0
        assert check_leaks(rows, roles) == []
        assert set(roles) == {"train", "validation", "internal_test"}
        assert set(roles[~labelled]) <= {"train"}


def test_split_reaches_the_asked_shares_of_every_class_and_centre():
    generator = np.random.default_rng(0)
    patients = np.repeat(np.arange(100), generator.integers(5, 40, 100))
    rows = make_rows(patients, generator.random(len(patients)) < 0.3, patients % 4)
    rows["label"] = rows["label"].astype(int)
    roles = split_by_patient(rows, 1, (0.6, 0.2, 0.2))
    share = pd.crosstab([rows["label"], rows["centre"]], roles, normalize="index")
    np.testing.assert_allclose(share["train"], 0.6, atol=0.05)
    np.testing.assert_allclose(share["validation"], 0.2, atol=0.05)
    np.testing.assert_allclose(share["internal_test"], 0.2, atol=0.05)
    assert (roles != split_by_patient(rows, 2, (0.6, 0.2, 0.2))).any()


def test_folds_are_stratified_and_validation_is_about_15_percent():
    rows = make_rows([""] * 400, [0, 0, 0, 1] * 100, [0, 0, 1, 1] * 100)
    for roles in fold_roles(rows, 5, 3):
        test = rows[roles == "internal_test"]
        assert len(test) == 80
        assert (test["label"] == 1).mean() == pytest.approx(0.25, abs=0.02)
        assert (roles == "validation").sum() == pytest.approx(0.15 * 320, abs=2)


def test_external_centres_are_external_with_the_whole_patient(capsys):
    rows = make_rows([1, 1, 2, 2, 3, 3, 4, 4, 5, 5], centres=[0, 4, 4, 4, 0, 0, 0, 0, 0, 0])
    roles = split_by_patient(rows, 0, (0.5, 0.25, 0.25), external_centres=("4",))
    assert list(roles[:4]) == ["external_test"] * 4
    assert "external_test" not in roles[4:]
    assert "1 patches of other centres are external test too" in capsys.readouterr().err


def test_unlabelled_patients_are_train_and_a_zero_share_leaves_a_role_out():
    rows = make_rows([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, -1, -1])
    roles = split_by_patient(rows, 0, (0.5, 0.0, 0.5))
    assert list(roles[4:]) == ["train", "train"]
    assert "validation" not in roles
    assert sorted(roles[:4]) == ["internal_test", "internal_test", "train", "train"]


def test_unknown_patients_are_warned_of_and_the_slide_stands_in(capsys):
    rows = make_rows(["", "", "", "", "7", "7"], slide=["a", "a", "", "", "7_0", "7_0"])
    keys = patient_keys(rows)
    assert keys[0] == keys[1] == "slide a of all500"
    assert keys[4] == keys[5] == "7"
    assert len(set(keys)) == 4
    split_by_patient(rows, 0)
    errors = capsys.readouterr().err
    assert "2 of 6 patches have neither patient nor slide" in errors
    assert "2 of 6 patches have no patient: the slide stands in" in errors


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda rows: fold_roles(rows, 4, 0), "3 patients with labels for 4 parts"),
        (lambda rows: fold_roles(rows, 1, 0), "1 folds: at least 2"),
        (lambda rows: split_by_patient(rows[:4], 0), "2 patients with labels for 3 parts"),
        (lambda rows: split_by_patient(rows, 0, (0.5, 0.1, 0.1)), "sum to 1"),
        (lambda rows: split_by_patient(rows, 0, (0.0, 0.5, 0.5)), "sum to 1"),
        (lambda rows: split_by_patient(rows, 0, external_centres=("9",)), "external centre '9'"),
        (lambda rows: assign_roles(rows), "gives no roles"),
        (lambda rows: assign_roles(rows.assign(role="trian")), "no role 'trian'"),
        (lambda rows: assign_roles(rows, "nowhere.csv"), "nowhere.csv: no such split file"),
        (lambda rows: read_split("training=a.csv", rows), "no role 'training'"),
    ],
)
def test_bad_requests_are_refused_in_words(work, message):
    with pytest.raises(InputError, match=message):
        work(make_rows([1, 1, 2, 2, 3, 3]))


def test_assign_roles_by_column_and_by_patient():
    rows = make_rows([1, 1, 2, 2, 3, 3], role=["train", "train", "val", "val", "", "test2"])
    assert list(assign_roles(rows)) == ["train", "train", "validation", "validation", "", "external_test"]
    np.testing.assert_array_equal(assign_roles(rows, "patient", seed=4), split_by_patient(rows, 4))


def test_leaks_are_named_in_order_and_only_among_used_rows(capsys):
    rows = make_rows([1, 1, 2, 2, 3, 3])
    roles = np.array(["external_test", "train", "train", "train", "", "train"])
    assert check_leaks(rows, roles) == [
        "1 patient in more than one role: 1 (train, external_test)",
        "1 slide in more than one role: 1_0 of all500 (train, external_test)",
    ]
    with pytest.raises(InputError, match=r"1 \(train, external_test\).*--allow-leak"):
        require_disjoint(rows, roles)
    assert len(require_disjoint(rows, roles, allow=True)) == 2
    assert capsys.readouterr().err.count("warning: the split leaks") == 2


@pytest.mark.parametrize("patients", [["p1", "p2"], ["p1", ""]])
def test_a_slide_in_two_roles_leaks_under_whatever_patient(patients):
    rows = make_rows(patients, slide=["S", "S"])
    findings = check_leaks(rows, np.array(["train", "internal_test"]))
    assert "1 slide in more than one role: S of all500 (train, internal_test)" in findings
    with pytest.raises(InputError, match="S of all500"):
        require_disjoint(rows, np.array(["train", "internal_test"]))


def test_slides_of_two_databases_with_one_name_are_two():
    rows = make_rows(["p1", "p2", "", ""], slide=["S"] * 4, source=["a", "b", "a", "c"])
    assert list(patient_keys(rows)) == ["p1", "p2", "p1", "slide S of c"]
    assert check_leaks(rows, np.array(["train", "validation", "train", "internal_test"])) == []


def test_a_row_without_patient_takes_that_of_its_slide(capsys):
    rows = make_rows(["", "p2", "p1", "", "p3", "p4"], slide=["S", "S", "S", "", "T", "U"])
    assert list(patient_keys(rows)) == ["p1", "p2", "p1", "row 3", "p3", "p4"]
    assert list(patient_keys(rows[["patient", "slide"]].iloc[[0, 4]])) == ["slide S", "p3"]
    roles = split_by_patient(rows, 0, (0.5, 0.25, 0.25))
    assert len(set(roles[:3])) == 1
    errors = capsys.readouterr().err
    assert "1 of 6 patches have no patient: they are given that of other patches of their slide" in errors
    assert "2 patients share slides: those who do stay together" in errors


def test_patients_linked_by_a_chain_of_slides_are_inseparable():
    rows = make_rows(["c", "b", "b", "a", "d", ""], slide=["S", "S", "T", "T", "U", ""])
    assert list(inseparable_keys(rows)) == ["a", "a", "a", "a", "d", "row 5"]


def test_many_leaks_give_a_few_examples():
    rows = make_rows(np.repeat(np.arange(9), 2))
    finding = check_leaks(rows, np.array(["train", "validation"] * 9))[0]
    assert finding.startswith("9 patients in more than one role: 0 (train, validation); ")
    assert finding.endswith(" and 6 more")


def test_two_slides_of_one_patient_leak_as_a_patient_only():
    rows = make_rows([1, 1], slide=["1_0", "1_1"])
    assert [line.split()[1] for line in check_leaks(rows, np.array(["train", "validation"]))] == ["patient"]


def test_split_table_round_trip(tmp_path):
    rows = make_rows(["001", "001", "", "003"])
    roles = np.array(["train", "train", "", "internal_test"])
    write_split(tmp_path / "split.csv", rows, roles)
    lines = (tmp_path / "split.csv").read_text().splitlines()
    assert lines[:2] == ["row,patient,slide,centre,role", "0,001,001_0,0,train"]
    np.testing.assert_array_equal(read_split(tmp_path / "split.csv", rows), roles)
    np.testing.assert_array_equal(assign_roles(rows, str(tmp_path / "split.csv")), roles)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,patient,role\n0,1,train\n9,2,train\n", "1 line for rows beyond this store of 4"),
        ("row,patient,role\nx,1,train\n", "line 2: row is 'x', not a number"),
        ("row,patient,role\n0,1,train\ninf,1,train\n", "line 3: row is 'inf', not a finite number"),
        ("row,role\n-1,train\n", "line 2: row is '-1', not 0 or more"),
        ("row,role\n1.5,train\n", "line 2: row is '1.5', not a whole number"),
        ("row,role\n,train\n", "line 2: row is '', not a whole number"),
        ("row,patient,role\n0,1,train\n2,1,train\n", "first row 2: '1' here, '2' there"),
        ("row,role\n0,learn\n", "no role 'learn'"),
        ("row,role\n0,train,2,3\n1,train\n0,1,2,3,4\n", "not a table"),
        ("row,role\n0,train\n0,validation\n", "claimed by two roles.*train and validation"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, text, message):
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_split(tmp_path / "split.csv", make_rows([1, 1, 2, 2]))


def test_a_split_file_that_cannot_be_read_is_one_line(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "split.csv").write_text("row,role\n0,train\n")
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match=r"split\.csv: cannot be read \(Permission denied\); give a CSV file"):
        read_split(tmp_path / "split.csv", make_rows([1]))


ENTRY = "tumor/level7/centre0/patient001/node0/patches"


def test_original_split_file_with_repeated_lines(tmp_path, capsys):
    rows = make_rows([1, 1, 2, 2])
    names = ["train", "train", "validation", "test", "test2"]
    lines = [f"all500, {ENTRY}, {number}, {name}" for number, name in zip([0, 0, 1, 2, 3], names, strict=True)]
    (tmp_path / "all.csv").write_text("\n".join(lines) + "\n")
    assert list(read_split(tmp_path / "all.csv", rows)) == ["train", "validation", "internal_test", "external_test"]
    assert "1 repeated lines count once" in capsys.readouterr().err


def test_original_files_by_role_override_what_their_lines_say(tmp_path):
    rows = make_rows([1, 1, 2, 2])
    (tmp_path / "a.csv").write_text(f"all500, {ENTRY}, 1\n")
    (tmp_path / "b.csv").write_text(f"all500, {ENTRY}, 3, test\n")
    spec = f"train={tmp_path / 'a.csv'},external_test={tmp_path / 'b.csv'}"
    assert list(read_split(spec, rows)) == ["", "train", "", "external_test"]
    with pytest.raises(InputError, match="which role they have"):
        read_split(tmp_path / "a.csv", rows)
    with pytest.raises(InputError, match="claimed by two roles"):
        read_split(f"train={tmp_path / 'a.csv'},validation={tmp_path / 'a.csv'}", rows)


def test_original_lines_that_name_a_missing_patch_are_counted(tmp_path):
    (tmp_path / "a.csv").write_text(f"cam16, {ENTRY}, 1, train\nall500, {ENTRY}, 1, train\n")
    with pytest.raises(InputError, match=rf"1 of 2 lines .* first: cam16, {ENTRY}, 1; give the files"):
        read_split(tmp_path / "a.csv", make_rows([1, 1]))


def test_real_camelyon_patches_keep_their_patients_apart(shared, tmp_path):
    folder = shared / "data" / "camelyon"
    with open_patches(f"cam16={folder / 'cam16_patches.hdf5'},cam17={folder / 'cam17_patches.hdf5'}") as store:
        rows = store.rows
    roles = split_by_patient(rows, 0)
    assert sorted(pd.Series(roles).value_counts()) == [10, 10, 10]  # three patients of ten patches
    lines = rows["source"] + ", " + rows["entry"] + ", " + rows["patch_no"].astype(str) + ", " + roles
    (tmp_path / "all_shuffle.csv").write_text("\n".join(lines.sample(frac=1, random_state=0)))
    np.testing.assert_array_equal(read_split(tmp_path / "all_shuffle.csv", rows), roles)
    with pytest.raises(InputError, match="46 of 46 lines name patches that the store lacks, first: extra17"):
        read_split(folder / "demo_train_shuffle.csv", rows)


@pytest.mark.parametrize("centres", [30, 15, 10, 3])
def test_many_centres_of_few_patients_still_give_parts_of_the_asked_size(centres):
    patients = np.repeat(np.arange(30), 10)
    rows = make_rows([f"p{number}" for number in patients], np.arange(300) // 2 % 2, patients % centres)
    folds = fold_roles(rows, 5, 0)
    assert [int((roles == "internal_test").sum()) for roles in folds] == [60] * 5
    roles = split_by_patient(rows, 0)
    assert 190 <= (roles == "train").sum() <= 220
    assert 40 <= (roles == "validation").sum() <= 60
