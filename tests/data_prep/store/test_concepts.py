import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.errors import InputError
from data_prep.store import (
    STANDARDIZED,
    align_concepts,
    make_rows,
    open_concepts,
    open_patches,
    read_original_split,
    write_store,
)
from tests.data_prep.store.samples import camelyon, pixels


def byte_strings(path, values):
    """The original's concept file: /db/entry/patch_no/measure = one byte string."""
    with h5py.File(path, "w") as file:
        for key, value in values.items():
            file[key] = np.array([value])
    return path


def test_byte_strings_are_read_as_numbers(tmp_path):
    entry = "normal/level7/centre1/patient030/node4/patches"
    path = byte_strings(
        tmp_path / "c.h5",
        {
            f"all500/{entry}/2/ncount": b"0.571762100000",
            f"all500/{entry}/2/narea": b"-1.5",
            f"all500/{entry}/11/ncount": b"nan",
            "pannuke/fold1/3/tumor/center  /ncount": b"2.0",
        },
    )
    table = open_concepts(path)
    assert table.loc[("all500", entry, 2)].to_dict() == {"narea": -1.5, "ncount": 0.5717621}
    assert np.isnan(table.loc[("all500", entry, 11), "ncount"])
    assert table.loc[("pannuke", "fold1/3/tumor/center", 0), "ncount"] == 2
    assert set(table.attrs["units"].values()) == {STANDARDIZED}
    rows = make_rows(3, {"source": "all500", "entry": entry, "patch_no": [2, 3, 2]})
    aligned = align_concepts(table, rows)
    np.testing.assert_array_equal(aligned["ncount"], [0.5717621, np.nan, 0.5717621])
    assert isinstance(aligned.index, pd.RangeIndex)
    assert aligned.attrs["units"]["narea"] == "standard deviations"
    with pytest.raises(InputError, match=r"of the sources all500, pannuke, the patches are of cam17_patches; name"):
        align_concepts(table, rows.assign(source="cam17_patches"))


def test_csv_by_row_and_by_key(tmp_path):
    (tmp_path / "a.csv").write_text("row,narea [px],ncount\n2,10.5,\n0,3,4\n")
    table = open_concepts(tmp_path / "a.csv")
    assert table.attrs["units"] == {"narea": "px", "ncount": ""}
    np.testing.assert_array_equal(align_concepts(table, make_rows(3)), [[3, 4], [np.nan, np.nan], [10.5, np.nan]])
    with pytest.raises(InputError, match="concepts for row 2 but there are 2"):
        align_concepts(table, make_rows(2))
    (tmp_path / "b.csv").write_text("source,entry,patch_no,c\ns,images/a.png,0,7\n")
    rows = make_rows(1, {"source": "s", "entry": "images/a.png"})
    assert align_concepts(open_concepts(tmp_path / "b.csv"), rows)["c"].tolist() == [7]


def test_several_patch_files_give_one_table(tmp_path):
    concepts = pd.DataFrame({"c": [1.0, 2.0]})
    concepts.attrs["units"] = {"c": "px"}
    write_store(tmp_path / "a.h5", pixels(2), make_rows(2), concepts)
    camelyon(tmp_path / "b.h5")
    table = open_concepts(f"cam={tmp_path / 'b.h5'},flat={tmp_path / 'a.h5'}")
    assert table["c"].dropna().to_dict() == {8: 1, 9: 2}
    assert table.attrs["units"] == {"c": "px"}
    assert open_concepts(tmp_path / "b.h5").shape == (8, 0)
    byte_strings(tmp_path / "c.h5", {"all500/e/0/c": b"1"})
    with pytest.raises(InputError, match="one concept file at a time"):
        open_concepts(f"a={tmp_path / 'a.h5'},c={tmp_path / 'c.h5'}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("entry,c\na,1\n", "no column source, patch_no"),
        ("row,c\n0,red\n", "line 2: c is 'red', not a number"),
        ("row,c\n0,1\n1,-inf\n", "line 3: c is '-inf', not a finite number"),
        ("row,c\n0,1\n-1,2\n", "line 3: row is '-1', not 0 or more"),
        ("row,c\n0.5,1\n", "line 2: row is '0.5', not a whole number"),
        ("row,c\n,1\n", "line 2: row is '', not a whole number"),
        ("row,c\n1e300,1\n", "line 2: row is '1e300', not a whole number"),
        ("source,entry,patch_no,c\ns,e,-2,1\n", "line 2: patch_no is '-2', not 0 or more"),
        ("row,a [px],a [um2]\n0,1,2\n", "several columns are called a; give each a name of its own"),
        ("row,a,a\n0,1,2\n", "several columns are called a"),
        ("row,c\n0,1,2\n", "not a table"),
        ("row,c\n0,1\n0,2\n", "0 is listed twice"),
        ("", "not a table"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        open_concepts(tmp_path / "a.csv")


def test_names_that_look_like_nothing_are_names(tmp_path):
    (tmp_path / "a.csv").write_text("source,entry,patch_no,NA\nNA,null,0,1\nNone,nan,1,nan\n")
    table = open_concepts(tmp_path / "a.csv")
    assert list(table.index) == [("NA", "null", 0), ("None", "nan", 1)]
    np.testing.assert_array_equal(table["NA"], [1, np.nan])


def test_what_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for read in (open_concepts, read_original_split):
        with pytest.raises(InputError, match=r"folder\.csv: cannot be read \(Is a directory\)"):
            read(tmp_path / "folder.csv")
    (tmp_path / "a.csv").write_bytes(b"row,c\n0,\xff\n")
    with pytest.raises(InputError, match="not a table") as caught:
        open_concepts(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)


def test_bad_concept_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_concepts(tmp_path / "no.csv")
    with pytest.raises(InputError, match="is b'red', not a number"):
        open_concepts(byte_strings(tmp_path / "c.h5", {"a/b/0/c": b"red"}))
    with pytest.raises(InputError, match="neither a patch store nor a concept file"):
        open_concepts(byte_strings(tmp_path / "d.h5", {"images": b"1"}))
    write_store(tmp_path / "s.h5", pixels(2), make_rows(2))
    assert open_concepts(tmp_path / "s.h5").shape == (2, 0)


def test_demo_file_has_the_published_statistics(shared):
    table = open_concepts(shared / "data" / "camelyon" / "demo_concept_measures.h5")
    assert table.shape == (50, 6)
    assert table.notna().all().all()
    # name: mean, population standard deviation, minimum, median, maximum, mean of normal, mean of tumor
    expected = {
        "full_contrast": (0.0450, 0.9616, -1.7485, -0.2479, 3.0059, 0.147, -0.245),
        "full_correlation": (-0.3279, 0.9667, -2.9228, -0.3303, 1.7832, -0.410, -0.095),
        "narea": (0.1204, 0.3890, -0.3314, -0.0184, 1.4777, 0.034, 0.367),
        "ncount": (0.0320, 1.0242, -2.3790, 0.2644, 1.6168, 0.424, -1.083),
        "nuclei_contrast": (-0.14969, 0.00040, -0.15003, -0.14977, -0.14799, -0.150, -0.150),
        "nuclei_correlation": (-0.0881, 0.4177, -0.3058, -0.1802, 2.5851, -0.108, -0.032),
    }
    normal = table.index.get_level_values("entry").str.startswith("normal")
    for name, values in expected.items():
        column = table[name]
        found = (column.mean(), column.std(ddof=0), column.min(), column.median(), column.max())
        assert (*found, column[normal].mean(), column[~normal].mean()) == pytest.approx(values, abs=6e-4), name


def test_splits_with_three_and_four_fields(tmp_path):
    (tmp_path / "s.csv").write_text("all500, a/patches, 405, train\ncam16, b/patches, 2\n\n")
    assert read_original_split(tmp_path / "s.csv").to_dict("records") == [
        {"source": "all500", "entry": "a/patches", "patch_no": 405, "split": "train"},
        {"source": "cam16", "entry": "b/patches", "patch_no": 2, "split": ""},
    ]
    (tmp_path / "s.csv").write_text("all500, a/patches, 405, train\nall500, a/patches, x\n")
    with pytest.raises(InputError, match=r"s.csv, line 2: expected `db, entry_path, patch_no\[, split\]`"):
        read_original_split(tmp_path / "s.csv")
    (tmp_path / "s.csv").write_text("all500, a/patches, 99999999999999999999, train\n")
    with pytest.raises(InputError, match=r"s.csv, line 1: expected"):
        read_original_split(tmp_path / "s.csv")
    with pytest.raises(InputError, match="no such file"):
        read_original_split(tmp_path / "t.csv")


def test_a_split_and_concepts_for_the_real_patches(shared, tmp_path):
    folder = shared / "data" / "camelyon"
    patches = open_patches(f"cam16={folder / 'cam16_patches.hdf5'},all500={folder / 'cam17_patches.hdf5'}")
    rows = patches.rows
    lines = [f"{row.source}, {row.entry}, {row.patch_no}, train" for row in rows.itertuples()]
    (tmp_path / "split.csv").write_text("\n".join(lines))
    split = read_original_split(tmp_path / "split.csv")
    assert split[["source", "entry", "patch_no"]].equals(rows[["source", "entry", "patch_no"]])
    values = {f"{row.source}/{row.entry}/{row.patch_no}/ncount": b"%.12f" % row.x for row in rows[3:].itertuples()}
    aligned = align_concepts(open_concepts(byte_strings(tmp_path / "c.h5", values)), rows)
    assert aligned["ncount"].isna().tolist() == [True] * 3 + [False] * 27
    np.testing.assert_allclose(aligned["ncount"][3:], rows["x"][3:])
