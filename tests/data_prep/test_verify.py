import h5py
import numpy as np
import pytest

from data_prep.cli.verify import main
from data_prep.store import StoreWriter, make_rows, write_store
from tests.data_prep.store.samples import CAM16, CAM17, camelyon, demo, pannuke, pixels


def check(capsys, *files):
    """(exit status, lines) of the command."""
    try:
        main([*map(str, files), "--quiet"])
    except SystemExit as end:
        return end.code, capsys.readouterr().out.splitlines()
    return 0, capsys.readouterr().out.splitlines()


def edit(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def replace(file, name, values):
    del file[name]
    file[name] = values


@pytest.mark.parametrize("make", [camelyon, demo, pannuke])
def test_sound_files(tmp_path, capsys, make):
    assert check(capsys, make(tmp_path / "a.h5")) == (0, ["1 file: 0 problems, 0 warnings"])


def test_missing_truncated_and_foreign_files(tmp_path, capsys):
    camelyon(tmp_path / "cut.h5")
    (tmp_path / "cut.h5").write_bytes((tmp_path / "cut.h5").read_bytes()[:-900])
    (tmp_path / "text.h5").write_text("text")
    status, lines = check(capsys, tmp_path / "no.h5", tmp_path / "cut.h5", tmp_path / "text.h5")
    assert status == 1
    for line, message in zip(lines, ["no such file", "the file is truncated", "not an HDF5 file"], strict=False):
        assert f"problem: {message}" in line or message in line
    assert lines[-1] == "3 files: 3 problems, 0 warnings"


CAMELYON_DAMAGE = [
    (lambda f: replace(f, f"{CAM17}/patches", pixels(5).astype("i4")), "has the type int32; patches are uint8"),
    (lambda f: replace(f, f"{CAM17}/patches", pixels(5)[0]), "has the shape (8, 8, 3)"),
    (lambda f: replace(f, f"{CAM17}/locations", np.zeros((4, 2), int)), "int64 (4, 2) beside 5 patches"),
    (lambda f: replace(f, f"{CAM17}/locations", np.zeros((5, 2))), "float64 (5, 2) beside 5 patches"),
    (lambda f: f.__delitem__(f"{CAM17}/patches"), f"{CAM17} has no patches"),
]


@pytest.mark.parametrize(("change", "message"), CAMELYON_DAMAGE)
def test_damage_in_a_hierarchy_names_the_slide(tmp_path, capsys, change, message):
    status, lines = check(capsys, edit(camelyon(tmp_path / "a.h5"), change))
    assert status == 1
    assert message in lines[0]
    assert "055" in lines[1]
    assert lines[1].startswith("make again: ")


def test_missing_locations_are_a_warning(tmp_path, capsys):
    path = edit(camelyon(tmp_path / "a.h5"), lambda f: f.__delitem__(f"{CAM16}/locations"))
    status, lines = check(capsys, path)
    assert status == 0
    assert f"warning: {CAM16}/locations is missing" in lines[0]


def _store(path):
    rows = make_rows(4, {"patch_no": range(4), "slide": "s", "entry": "e"})
    values = np.arange(4.0)
    with StoreWriter(path, (8, 8), {"ncount": "nuclei", "empty": ""}) as writer:
        writer.append(pixels(4), rows, {"ncount": values, "empty": values})
    return path


STORE_DAMAGE = [
    (lambda f: f.attrs.modify("complete", False), "the store was not finished; make it again"),
    (lambda f: f.__delitem__("patches"), "the dataset patches is missing"),
    (lambda f: f.__delitem__("rows/label"), "the dataset rows/label is missing"),
    (lambda f: replace(f, "rows/label", np.zeros(3, int)), "rows/label has 3 rows beside 4 patches"),
    (lambda f: replace(f, "concepts/ncount", np.zeros(5)), "concepts/ncount has 5 rows beside 4 patches"),
    (lambda f: replace(f, "concepts/ncount", np.zeros(4, int)), "concepts/ncount is int64; expected float64"),
    (lambda f: replace(f, "concepts/empty", np.full(4, np.nan)), "the concept empty has no value in any row"),
    (lambda f: replace(f, "patches", pixels(4).astype("u2")), "patches is uint16"),
    (lambda f: f.create_dataset("masks", data=np.zeros((4, 8, 8), "u1")), "masks is uint8"),
    (lambda f: replace(f, "rows/label", np.array([0, 1, 2, 7])), "unknown label 2, 7"),
    (lambda f: f["rows/label"].write_direct(np.array([0, 1, 0, 1])), "rows/label is damaged (its checksum differs)"),
    (lambda f: replace(f, "rows/patch_no", np.array([0, 1, 1, 2])), "1 row for a patch that has a row already"),
]


@pytest.mark.parametrize(("change", "message"), STORE_DAMAGE)
def test_damage_in_a_store(tmp_path, capsys, change, message):
    status, lines = check(capsys, edit(_store(tmp_path / "a.h5"), change))
    assert status == 1
    assert f"problem: {message}" in lines[0]
    assert lines[-1] == "1 file: 1 problem, 0 warnings"


def test_masks_and_pixels_that_cannot_be_read_name_the_patch(tmp_path, capsys):
    def half(file):
        file["pannuke/fold2/1/normal/center/mask"][0, 0, 0, 0] = 0.5

    status, lines = check(capsys, edit(pannuke(tmp_path / "p.h5"), half))
    assert status == 1
    assert "pannuke/fold2/1/normal/center/mask: values are not whole numbers" in lines[0]
    assert "pannuke/fold2/1/normal/center/patch" in lines[1]


def _labelled(path, patients, labels, seed=0):
    slides = [f"{patient}_slide" for patient in patients]
    count = len(patients)
    rows = make_rows(count, {"patient": patients, "slide": slides, "label": labels, "patch_no": range(count)})
    write_store(path, np.repeat(pixels(1, seed=seed), count, axis=0), rows)
    return path


def test_equal_pixels(tmp_path, capsys):
    status, lines = check(capsys, _labelled(tmp_path / "a.h5", ["p", "p"], [1, 1]))
    assert status == 0
    assert "warning: 2 patches hold only 1 different picture, as row 0 (p_slide #0), row 1 (p_slide #1)" in lines[0]
    status, lines = check(capsys, _labelled(tmp_path / "b.h5", ["p", "q"], [1, 1]))
    assert status == 1
    assert "problem: 2 patches hold only 1 different picture, under different patients" in lines[0]
    assert lines[0].endswith("one of them is wrong: check where they come from")
    assert lines[1] == "1 file: 1 problem, 0 warnings"
    status, lines = check(capsys, _labelled(tmp_path / "c.h5", ["p", "p"], [0, 1]))
    assert status == 1
    assert "labelled both normal and tumor" in lines[0]


def test_equal_pixels_across_files(tmp_path, capsys):
    files = [_labelled(tmp_path / f"{name}.h5", [name], [1]) for name in "ab"]
    status, lines = check(capsys, *files)
    assert status == 1
    assert lines[0].startswith(f"{files[0]}, {files[1]}: problem: ")


def test_a_folder_is_a_problem_and_each_file_has_its_bar(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(camelyon(tmp_path / "a.h5"))])
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{tmp_path}: problem: is a folder; name a patch file (.h5)",
        "2 files: 1 problem, 0 warnings",
    ]
    assert "a.h5: 100%" in printed.err


def test_no_file_is_bad_input(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "python -m data_prep verify: no file given; name the patch files to check\n"


def test_real_files(shared, capsys):
    folder = shared / "data" / "camelyon"
    status, lines = check(capsys, folder / "cam17_patches.hdf5")
    assert status == 1
    assert "20 patches hold only 10 different pictures, under different patients" in lines[0]
    assert "(camelyon17_patient010_node4 #0)" in lines[0]
    assert "check where they come from" in lines[0]
