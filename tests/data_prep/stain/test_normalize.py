import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from data_prep.cli.normalize import main
from data_prep.stain import Macenko, Reinhard, Stains, Vahadane, load_normalizer, parse_normalizer, statistics
from data_prep.stain.job import fit_slides, reference_rows
from data_prep.stain.reference import median_of_slides, median_reference, slide_stains
from data_prep.store import make_rows, open_concepts, open_patches, read_attribute, write_store
from data_prep.store.verify import verify
from tests.data_prep.stain.hard import stained
from tests.data_prep.store.samples import camelyon

LOOKS = {
    "a": ((0.65, 0.1), (0.70, 0.95), (0.29, 0.28)),
    "b": ((0.55, 0.25), (0.75, 0.85), (0.37, 0.46)),
    "c": ((0.70, 0.2), (0.60, 0.92), (0.39, 0.34)),
}
SLIDES = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "c"]
ROLES = ["train"] * 6 + ["internal_test"] * 4


def patches_of_slides() -> np.ndarray:
    images = np.stack([stained((32, 32), number, LOOKS[slide]) for number, slide in enumerate(SLIDES)])
    images[5] = 255
    return images


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Ten patches of three slides, one of them blank, with roles, a concept and masks. Not to be changed."""
    path = tmp_path_factory.mktemp("stain") / "raw.h5"
    rows = make_rows(10, {"slide": SLIDES, "patient": SLIDES, "centre": SLIDES, "role": ROLES, "patch_no": range(10)})
    table = rows[["x"]].assign(x=np.arange(10.0)).rename(columns={"x": "narea"})
    table.attrs["units"] = {"narea": "px"}
    masks = np.arange(10).repeat(32 * 32).reshape(10, 32, 32)
    write_store(path, patches_of_slides(), rows, table, masks)
    return path


def normalized(store, out, *flags):
    main([str(store), "--out", str(out), "--quiet", *flags])
    with open_patches(out) as patches:
        return patches.read(0, 99)


def failed(capsys, *flags) -> str:
    with pytest.raises(SystemExit) as stop:
        main([*map(str, flags), "--quiet"])
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1, error
    return error[0]


def test_rows_concepts_masks_and_roles_stay(store, tmp_path) -> None:
    out = tmp_path / "new.h5"
    normalized(store, out)
    with open_patches(store) as before, open_patches(out) as after:
        assert after.rows.equals(before.rows)
        np.testing.assert_array_equal(after.read_masks(0, 10), before.read_masks(0, 10))
    assert open_concepts(out).equals(open_concepts(store))
    assert open_concepts(out).attrs["units"] == {"narea": "px"}
    assert not [finding for finding in verify([out]) if finding.problem]


@pytest.mark.parametrize("method", ["reinhard", "macenko", "vahadane"])
def test_pixels_are_those_of_the_reference_that_is_saved(method, store, tmp_path, capsys) -> None:
    out = tmp_path / "new.h5"
    pixels = normalized(store, out, "--method", method)
    saved = load_normalizer(tmp_path / "new.stain.json")
    assert saved.method == method
    np.testing.assert_array_equal(pixels, saved.transform(patches_of_slides()))
    text = read_attribute(out, "stain")
    assert json.loads(text) == json.loads((tmp_path / "new.stain.json").read_text())
    assert parse_normalizer(text, "here").fields() == saved.fields()
    assert "9 patches normalized, 1 without stained tissue left as they were" in capsys.readouterr().out


def test_the_reference_is_the_median_of_training_slides(store, tmp_path) -> None:
    images = patches_of_slides()
    normalized(store, tmp_path / "r.h5")
    means, stds = statistics(images)
    found = Reinhard.load(tmp_path / "r.stain.json")
    for values, mine in ((means, found.means), (stds, found.stds)):
        expected = np.median([np.median(values[:3], axis=0), np.median(values[3:5], axis=0)], axis=0)
        np.testing.assert_allclose(mine, expected)
    normalized(store, tmp_path / "m.h5", "--method", "macenko")
    slides = [Stains.median([Macenko().estimate(image) for image in of]) for of in (images[:3], images[3:5])]
    np.testing.assert_allclose(Macenko.load(tmp_path / "m.stain.json").stains.peaks, Stains.median(slides).peaks)


def test_test_patches_have_no_say_in_the_reference(store, tmp_path) -> None:
    images, other = patches_of_slides(), tmp_path / "other.h5"
    images[6:] = 255 - images[6:] // 2
    with open_patches(store) as patches:
        write_store(other, images, patches.rows)
    normalized(store, tmp_path / "a.h5")
    normalized(other, tmp_path / "b.h5")
    assert (tmp_path / "a.stain.json").read_bytes() == (tmp_path / "b.stain.json").read_bytes()


def test_a_split_table_says_which_rows_train(store, tmp_path) -> None:
    (tmp_path / "split.csv").write_text("row,role\n6,train\n7,train\n0,internal_test\n")
    normalized(store, tmp_path / "a.h5", "--split", str(tmp_path / "split.csv"))
    expected = median_reference("reinhard", patches_of_slides()[6:8])
    np.testing.assert_allclose(Reinhard.load(tmp_path / "a.stain.json").means, expected.means)


def test_without_roles_all_rows_serve_with_a_warning(capsys) -> None:
    assert reference_rows(make_rows(3)).tolist() == [0, 1, 2]
    assert "warning: no roles" in capsys.readouterr().err


def test_a_reference_from_elsewhere_needs_no_training_rows(tmp_path, capsys) -> None:
    write_store(tmp_path / "raw.h5", patches_of_slides(), make_rows(10))
    normalized(tmp_path / "raw.h5", tmp_path / "new.h5", "--method", "macenko", "--reference", "published")
    assert capsys.readouterr().err == ""
    normalized(tmp_path / "raw.h5", tmp_path / "median.h5")
    assert "warning: no roles" in capsys.readouterr().err


def test_references_by_row_file_and_publication(store, tmp_path) -> None:
    images, macenko = patches_of_slides(), ["--method", "macenko"]
    cv2.imwrite(str(tmp_path / "a.png"), images[3][..., ::-1])
    Macenko().fit(images[3]).save(tmp_path / "a.json")
    expected = Macenko().fit(images[3]).transform(images)
    for number, spec in enumerate(("patch:3", str(tmp_path / "a.png"), str(tmp_path / "a.json"))):
        found = normalized(store, tmp_path / f"{number}.h5", *macenko, "--reference", spec)
        np.testing.assert_array_equal(found, expected)
    published = normalized(store, tmp_path / "p.h5", *macenko, "--reference", "published")
    np.testing.assert_array_equal(published, Macenko().transform(images))


@pytest.mark.parametrize("kind", [Macenko, Vahadane])
def test_slides_keep_their_stains(kind, store, tmp_path) -> None:
    out, images = tmp_path / "new.h5", patches_of_slides()
    pixels = normalized(store, out, "--method", kind.method, "--fit", "slide")
    stored = json.loads(read_attribute(out, "stain"))
    target, slides = kind.load(tmp_path / "new.stain.json"), stored["slides"]
    assert (stored["fit"], len(slides)) == ("slide", 3)
    for key, rows in zip(sorted(slides), ([0, 1, 2], [3, 4], [6, 7, 8, 9]), strict=True):
        source = target.estimate(images[rows])
        assert slides[key] == source.fields()
        np.testing.assert_array_equal(pixels[rows], target.transform(images[rows], source=source))
    np.testing.assert_array_equal(pixels[5], 255)


def test_slides_without_stain_and_rows_without_slide_are_fitted_one_by_one(tmp_path, capsys) -> None:
    images = np.stack([stained((32, 32), 1), np.full((32, 32, 3), 255, np.uint8), stained((32, 32), 2)])
    rows = make_rows(3, {"slide": ["a", "blank", ""], "role": "train"})
    write_store(tmp_path / "raw.h5", images, rows)
    flags = ["--method", "macenko", "--fit", "slide", "--reference", "published"]
    pixels = normalized(tmp_path / "raw.h5", tmp_path / "new.h5", *flags)
    np.testing.assert_array_equal(pixels[2], Macenko().transform(images[2]))
    assert "warning: too little stain to fit 1 slide:" in capsys.readouterr().err
    with open_patches(tmp_path / "raw.h5") as patches:
        slides = fit_slides("macenko", patches, 0)
    assert [stains is None for stains in slides.values()] == [False, True]


@pytest.mark.parametrize("kind", [Macenko, Vahadane])
def test_what_a_scanner_left_black_has_no_say_in_the_stains_of_a_slide(kind) -> None:
    images = np.stack([stained((32, 32), number, LOOKS["a"]) for number in range(8)])
    glass, black = images.copy(), images.copy()
    glass[0, :16], black[0, :16] = 255, 3
    found, expected = slide_stains(kind(), black), slide_stains(kind(), glass)
    np.testing.assert_array_equal(found.matrix, expected.matrix)
    np.testing.assert_array_equal(found.peaks, expected.peaks)
    assert kind().estimate(black).peaks[0] > 2 * expected.peaks[0], "counted in, it would be the darkest stain"


def test_the_seed_picks_the_sample_of_a_large_slide(tmp_path) -> None:
    images = np.stack([stained((16, 16), number, LOOKS["abc"[number % 3]]) for number in range(60)])
    write_store(tmp_path / "raw.h5", images, make_rows(60, {"slide": "a", "role": "train"}))
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        normalized(tmp_path / "raw.h5", tmp_path / f"{name}.h5", "--seed", seed)
    one, same, other = ((tmp_path / f"{name}.stain.json").read_text() for name in "abc")
    assert one == same != other


def test_no_slide_shows_stain() -> None:
    assert median_of_slides("macenko", [np.full((2, 8, 8, 3), 255, np.uint8)]) is None


def test_an_original_layout_can_be_written_back_with_normalized_pixels(tmp_path) -> None:
    from data_prep.cli.convert import main as convert

    source = camelyon(tmp_path / "cam.h5")
    normalized(source, tmp_path / "new.h5", "--method", "macenko", "--reference", "published")
    convert([str(tmp_path / "new.h5"), str(tmp_path / "back.h5"), "--to", "original", "--quiet"])
    with open_patches(tmp_path / "new.h5") as new, open_patches(tmp_path / "back.h5") as back:
        assert len(back) == len(new)
        np.testing.assert_array_equal(back.read(0, 9), new.read(0, 9))


def test_the_contact_sheet_shows_each_centre_before_and_after(store, tmp_path) -> None:
    normalized(store, tmp_path / "new.h5", "--contact-sheet", str(tmp_path / "sheet.png"))
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (24 + 3 * 100, 110 + 12 * 100 + 16, 3)
    first, after = sheet[24:120, 110:206], sheet[24:120, 726:822]
    np.testing.assert_array_equal(first[1::3, 1::3, ::-1], patches_of_slides()[0])
    with open_patches(tmp_path / "new.h5") as patches:
        np.testing.assert_array_equal(after[1::3, 1::3, ::-1], patches[0])


def test_long_names_of_centres_stay_distinct_on_the_sheet(tmp_path) -> None:
    rows = make_rows(10, {"centre": ["hospital-1"] * 5 + ["hospital-2"] * 5})
    write_store(tmp_path / "raw.h5", patches_of_slides(), rows)
    normalized(tmp_path / "raw.h5", tmp_path / "new.h5", "--contact-sheet", str(tmp_path / "sheet.png"))
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    one, other = sheet[24:124, :106], sheet[124:224, :106]
    assert one.min() < 100
    assert (one != other).any()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--reference", "patch:7"], "does not have the role train"),
        (["--reference", "patch:10"], "N from 0 to 9"),
        (["--reference", "patch:5"], "blank"),
        (["--reference", "none.png"], "cannot be opened"),
        (["--reference", "none.json"], "not a readable stain file"),
        (["--reference", "published"], "no published reference for reinhard"),
        (["--fit", "slide"], "use --fit patch"),
        (["--contact-sheet", "a.jpg"], "end its name with .png"),
        (["--split", "none.csv"], "no such split file"),
    ],
)
def test_bad_flags_are_one_line_and_leave_nothing(flags, message, store, tmp_path, capsys) -> None:
    assert message in failed(capsys, store, "--out", tmp_path / "new.h5", *flags)
    assert not list(tmp_path.iterdir())


def test_a_reference_of_another_method_is_refused(store, tmp_path, capsys) -> None:
    Macenko().save(tmp_path / "a.json")
    line = failed(capsys, store, "--out", tmp_path / "new.h5", "--reference", tmp_path / "a.json")
    assert "is a reference for macenko, not for reinhard" in line


def test_a_normalized_store_is_not_normalized_again(store, tmp_path, capsys) -> None:
    normalized(store, tmp_path / "new.h5")
    for source in (tmp_path / "new.h5", f"a={tmp_path / 'new.h5'},b={store}"):
        assert "normalized before" in failed(capsys, source, "--out", tmp_path / "again.h5")
    assert "exists already" in failed(capsys, store, "--out", tmp_path / "new.h5")
    normalized(store, tmp_path / "new.h5", "--overwrite")


def test_no_training_row_and_no_stain_are_refused(tmp_path, capsys) -> None:
    for role, message in (("internal_test", "no row has the role train"), ("train", "is blank")):
        path = tmp_path / f"{role}.h5"
        write_store(path, np.full((3, 8, 8, 3), 255, np.uint8), make_rows(3, {"role": role}))
        assert message in failed(capsys, path, "--out", tmp_path / "new.h5")


PEAK = """
import re, sys
from pathlib import Path
from data_prep.cli.normalize import main
main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads the peak memory of a process in /proc")
def test_memory_does_not_grow_with_the_store(tmp_path) -> None:
    peaks = []
    for count in (1500, 6000):
        images = np.tile(stained((96, 96)), (count, 1, 1, 1))
        write_store(tmp_path / "raw.h5", images, make_rows(count, {"role": "train", "slide": "a"}))
        flags = [str(tmp_path / "raw.h5"), "--out", str(tmp_path / "new.h5"), "--method", "macenko", "--overwrite"]
        # Not ru_maxrss, which a process inherits from the one that started it.
        run = subprocess.run([sys.executable, "-c", PEAK, *flags], capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 60_000  # KiB; the larger store has 124 MiB more pixels
