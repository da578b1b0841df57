"""Tables, files and folders of embeddings as one set of rows; what does not fit together is one line."""

import os

import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.embeddings import embeddings as module
from data_prep.embeddings import is_embeddings, named_files, open_embeddings
from data_prep.errors import InputError
from data_prep.store import ROW_COLUMNS
from tests.data_prep.embeddings.samples import WIDTH, clam, corners, numbers, table, trident, write
from tests.data_prep.store.samples import camelyon


@pytest.fixture
def slides(tmp_path):
    """Three slides of 5, 3 and 6 patches in both styles and with a leading axis, in a table with all names."""
    trident(tmp_path / "h5" / "a.h5", numbers(5, seed=1))
    clam(tmp_path / "h5" / "b.h5", numbers(3, seed=2))
    write(
        tmp_path / "h5" / "c.h5", {"features": numbers(6, seed=3).astype("float32")[None], "coords": corners(6)[None]}
    )
    names = {"patient": ["p1", "p1", ""], "centre": ["0", "1", ""], "role": ["train", "", "validation"]}
    frame = pd.DataFrame({"features": ["h5/a.h5", "h5/b.h5", "h5/c.h5"], "slide": ["A", "", "C"], **names})
    frame["label"], frame["mpp"] = ["tumor", "0", ""], ["0.5", "", ""]
    frame.to_csv(tmp_path / "slides.csv", index=False)
    return tmp_path / "slides.csv"


def expected():
    return np.concatenate(
        [numbers(5, seed=1).astype("float16"), numbers(3, seed=2).astype("float32"), numbers(6, seed=3)]
    ).astype("float32")


def test_a_table_gives_the_rows_of_all_slides(slides):
    with open_embeddings(slides) as found:
        rows = found.rows
        assert (len(found), found.width, found.encoder, found.attributes) == (14, WIDTH, "uni_v1", {})
        assert tuple(rows) == ROW_COLUMNS
        assert list(rows["source"].unique()) == ["slides"]
        assert list(rows["entry"]) == ["h5/a.h5"] * 5 + ["h5/b.h5"] * 3 + ["h5/c.h5"] * 6
        assert list(rows["slide"].unique()) == ["A", "b", "C"]
        assert list(rows["patient"]) == ["p1"] * 8 + [""] * 6
        assert list(rows["label"]) == [1] * 5 + [0] * 3 + [-1] * 6
        assert list(rows["patch_no"]) == [*range(5), *range(3), *range(6)]
        np.testing.assert_array_equal(rows[["x", "y"]], np.concatenate([corners(n) for n in (5, 3, 6)]))
        assert rows["mpp"].notna().sum() == 5
        assert [path.name for path in found.files] == ["a.h5", "b.h5", "c.h5"]
        assert list(found.concepts) == []


def test_any_rows_in_any_order_are_the_numbers_of_the_files(slides, monkeypatch):
    monkeypatch.setattr(module, "OPEN_FILES", 1)
    with open_embeddings(slides) as found:
        true = expected()
        for start, stop in ((0, 14), (4, 6), (5, 8), (7, 14), (13, 99), (14, 20), (3, 3)):
            read = found.read(start, stop)
            assert read.dtype == np.float32
            np.testing.assert_array_equal(read, true[start:stop])
        order = np.array([13, 0, 5, 5, 7, 2])
        np.testing.assert_array_equal(found.take(order), true[order])
        found.close()
        np.testing.assert_array_equal(found.take(order), true[order])
        for wrong in (lambda: found.take([14]), lambda: found.read(-1, 2), lambda: found.read(3, 2)):
            with pytest.raises(IndexError):
                wrong()


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files as Linux shows them")
def test_few_of_many_files_are_open(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "OPEN_FILES", 4)
    for number in range(20):
        clam(tmp_path / f"{number:02d}.h5", np.full((2, WIDTH), number))
    found, before = open_embeddings(tmp_path), open_descriptors()
    np.testing.assert_array_equal(found.read(0, 40)[:, 0], np.repeat(np.arange(20), 2))
    assert open_descriptors() - before <= 4
    found.close()
    assert open_descriptors() == before


def test_a_row_costs_some_thirty_bytes(tmp_path):
    lines = []
    for number in range(300):
        clam(tmp_path / f"a-rather-long-name-of-a-slide-{number:03d}.h5", numbers(100, 2))
        lines.append(
            {"features": f"a-rather-long-name-of-a-slide-{number:03d}.h5", "patient": f"patient-{number // 2}"}
        )
    with open_embeddings(table(tmp_path / "slides.csv", lines)) as found:
        assert len(found) == 30_000
        assert found.rows.memory_usage(index=False, deep=True).sum() / len(found) < 40


def test_a_file_and_a_folder_need_no_table(slides):
    folder = slides.parent / "h5"
    with open_embeddings(folder) as found:
        np.testing.assert_array_equal(found.read(0, 14), expected())
        assert list(found.rows["slide"].unique()) == ["a", "b", "c"]
        assert set(found.rows["label"]) == {-1}
    with open_embeddings(f"one={folder / 'b.h5'},two={folder / 'c.h5'}") as found:
        assert list(found.rows["source"]) == ["one"] * 3 + ["two"] * 6


def test_what_holds_embeddings_is_told_from_what_does_not(slides, tmp_path):
    store = camelyon(tmp_path / "patches.h5")
    images = table(tmp_path / "images.csv", [{"path": "1.png", "label": "tumor"}])
    (tmp_path / "empty").mkdir()
    assert all(is_embeddings(spec) for spec in (slides, slides.parent / "h5", slides.parent / "h5" / "a.h5"))
    assert not any(is_embeddings(spec) for spec in (store, images, tmp_path / "empty", tmp_path / "absent.h5"))
    with pytest.raises(InputError, match=r"patches\.h5 holds no embeddings, others do"):
        is_embeddings(f"a={slides},b={store}")


def test_the_files_behind_a_table(slides):
    assert [path.name for path in named_files(slides)] == ["a.h5", "b.h5", "c.h5"]


def refused(spec):
    with pytest.raises(InputError) as caught:
        found = open_embeddings(spec)
        found.read(0, len(found))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def good(path, **changed):
    assets = {"features": numbers(4).astype("float32"), "coords": corners(4), **changed}
    return write(path, {name: values for name, values in assets.items() if values is not None})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"coords": corners(3)}, "4 features but coords (3, 2)"),
        ({"coords": np.zeros((4, 3), int)}, "4 features but coords (4, 3)"),
        ({"coords": None}, "has no dataset coords"),
        ({"features": None}, "has no dataset features"),
        ({"features": np.zeros((0, 3), "float32"), "coords": np.zeros((0, 2), int)}, "no patch, or no numbers"),
        ({"features": np.zeros((4,), "float32")}, "expected (n, d) or (1, n, d)"),
        ({"features": np.zeros((2, 4, 3), "float32")}, "expected (n, d) or (1, n, d)"),
        ({"features": np.zeros((4, 3), int)}, "features are int64, not numbers that can be read"),
        ({"coords": np.full((4, 2), np.nan)}, "coords are no positions"),
        ({"features": np.array([[0], [1], [np.nan], [2]], "float32")}, "the features of patch 2 (from 0) are not all"),
        ({"features": np.array([[0], [np.inf], [1], [2]], "float16")}, "the features of patch 1 (from 0) are not all"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused(tmp_path, changed, said):
    path = good(tmp_path / "a.h5", **changed)
    assert (message := refused(path)).startswith(str(path))
    assert said in message


def test_files_that_do_not_fit_together_are_refused(tmp_path):
    trident(tmp_path / "a.h5", numbers(4, 8))
    clam(tmp_path / "b.h5", numbers(4, 6))
    assert "b.h5: its width is 6, that of" in (message := refused(tmp_path))
    assert "a.h5 is 8; embed all slides with one encoder" in message
    trident(tmp_path / "b.h5", numbers(4, 8), encoder="conch_v1")
    assert "b.h5: its encoder is conch_v1, that of" in refused(tmp_path)
    trident(tmp_path / "b.h5", numbers(4, 8), encoder="None")
    assert open_embeddings(tmp_path).encoder == "uni_v1"


def test_what_points_elsewhere_and_damage_are_refused(tmp_path):
    good(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["features"] = h5py.ExternalLink("other.h5", "features")
        file["coords"] = corners(4)
    assert "points outside this file" in refused(tmp_path / "a.h5")
    path = good(tmp_path / "b.h5")
    path.write_bytes(path.read_bytes()[:-500])
    assert "b.h5" in refused(path)
    changed = good(tmp_path / "c.h5")
    found = open_embeddings(changed)
    with h5py.File(changed, "a") as file:
        del file["features"]
    with pytest.raises(InputError, match="has changed since it was opened"):
        found.read(0, 4)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"features": "a.h5"}, {"features": "./a.h5"}], "these features are listed twice"),
        ([{"features": "a.h5", "slide": "s"}, {"features": "b.h5", "slide": "s"}], "two slides called 's'"),
        ([{"features": "absent.h5"}], "line 2: features 'absent.h5' is not there"),
        ([{"features": "a.h5", "label": "benign"}], "line 2: label is 'benign', not normal (0), tumor (1) or nothing"),
        ([{"features": "a.h5", "role": "test"}], "line 2: role is 'test'"),
        ([{"features": "a.h5", "stain": "x"}], "column 'stain' is unknown"),
        ([{"features": "a.h5", "annotation": "no.xml"}], "line 2: annotation 'no.xml' is not there"),
        ([{"features": "a.h5", "annotation": "a.h5", "label": "1"}], "a label for all patches and an annotation"),
        ([{"features": "a.h5", "patch_size_level0": "-3"}], "line 2: patch_size_level0 is -3"),
        ([{"features": "a.h5", "mpp": "0"}], "line 2: mpp is '0'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, lines, said):
    good(tmp_path / "a.h5")
    good(tmp_path / "b.h5")
    assert said in refused(table(tmp_path / "slides.csv", lines))


def test_an_empty_table_and_an_empty_folder_are_refused(tmp_path):
    (tmp_path / "slides.csv").write_text("features,slide\n")
    assert "no line below its header" in refused(tmp_path / "slides.csv")
    (tmp_path / "empty").mkdir()
    assert "no features file in this folder" in refused(tmp_path / "empty")
