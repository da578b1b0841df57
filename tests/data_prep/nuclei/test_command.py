import cv2
import numpy as np
import pytest

from data_prep.cli.nuclei import main
from data_prep.errors import InputError
from data_prep.nuclei import segment, store_nuclei
from data_prep.store import StoreWriter, make_rows, open_concepts, open_patches, read_attribute, write_store
from data_prep.synthetic import SyntheticSpec, synthesize
from tests.data_prep.store.samples import camelyon


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """24 synthetic patches with true masks and concepts; the first row does not know its mpp."""
    block = next(synthesize(SyntheticSpec(patches=24, patients=15)))
    block.concepts.attrs["units"] = dict.fromkeys(block.concepts, "px")
    block.rows.loc[0, "mpp"] = np.nan
    path = tmp_path_factory.mktemp("nuclei") / "patches.h5"
    write_store(path, block.patches, block.rows, block.concepts, block.masks)
    return path


def failure(capsys, *arguments):
    """The single line on standard error of a command that leaves with status 2."""
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments), "--quiet"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_store_gets_masks_and_keeps_the_rest(store, tmp_path, capsys):
    out = tmp_path / "out.h5"
    main([str(store), "--out", str(out), "--mpp", "0.5", "--quiet"])
    with open_patches(store) as before, open_patches(out) as after:
        pixels = before.read(0, 24)
        np.testing.assert_array_equal(after.read(0, 24), pixels)
        filled = before.rows.fillna({"mpp": 0.5})
        assert after.rows.equals(filled)
        masks = after.read_masks(0, 24)
        expected = [segment(image, mpp) for image, mpp in zip(pixels, filled["mpp"], strict=True)]
        np.testing.assert_array_equal(masks, expected)
    assert open_concepts(out).equals(open_concepts(store))
    assert open_concepts(out).attrs == open_concepts(store).attrs
    counts = masks.max((1, 2))
    said = f"{counts.sum()} nuclei in 24 patches (median {np.median(counts):g}), none in {(counts == 0).sum()}"
    assert capsys.readouterr().out == f"{out}: {said}\n"


def test_mpp_is_never_guessed(store, tmp_path, capsys):
    error = failure(capsys, store, "--out", tmp_path / "out.h5")
    assert "1 of 24 patches" in error
    assert "--mpp" in error
    assert not (tmp_path / "out.h5").exists()


def test_any_number_of_workers_writes_the_same_store(store, tmp_path):
    for workers in ("1", "2"):
        main([str(store), "--out", str(tmp_path / f"{workers}.h5"), "--mpp", "0.5", "--workers", workers, "--quiet"])
    with open_patches(tmp_path / "1.h5") as one, open_patches(tmp_path / "2.h5") as two:
        np.testing.assert_array_equal(one.read_masks(0, 24), two.read_masks(0, 24))
        assert one.rows.equals(two.rows)


def test_the_threads_of_opencv_are_left_alone(store, tmp_path, monkeypatch):
    set_to = []
    monkeypatch.setattr(cv2, "setNumThreads", set_to.append)
    main([str(store), "--out", str(tmp_path / "o.h5"), "--mpp", "0.5", "--quiet"])
    assert set_to == []


def test_nuclei_at_the_border_can_be_dropped(store, tmp_path):
    main([str(store), "--out", str(tmp_path / "o.h5"), "--mpp", "0.5", "--drop-border", "--quiet"])
    with open_patches(tmp_path / "o.h5") as patches:
        masks = patches.read_masks(0, 24)
    assert masks.any()
    assert not masks[:, [0, -1]].any()
    assert not masks[:, :, [0, -1]].any()


def test_the_masks_of_a_store_are_taken_by_key(store, tmp_path):
    """Numbers run without gaps, so the counts are those of the masks."""
    main([str(store), "--out", str(tmp_path / "o.h5"), "--segmenter", f"masks:{store}", "--quiet"])
    with open_patches(store) as before, open_patches(tmp_path / "o.h5") as after:
        np.testing.assert_array_equal(after.read_masks(0, 24) > 0, before.read_masks(0, 24) > 0)
        assert (after.read_masks(0, 24).max((1, 2)) == open_concepts(store)["ncount"]).all()


def test_the_overlay_is_a_picture_of_the_patches(store, tmp_path, capsys):
    picture = tmp_path / "overlay.png"
    main([str(store), "--out", str(tmp_path / "o.h5"), "--mpp", "0.5", "--overlay", str(picture), "--quiet"])
    assert cv2.imread(str(picture)).shape == (4 * 200, 6 * 200, 3)
    assert capsys.readouterr().out.splitlines()[1] == f"{picture}: 24 patches with the contours of their nuclei"


def test_attributes_of_the_store_are_kept(store, tmp_path):
    patches = open_patches(store)
    out = tmp_path / "made.h5"
    with StoreWriter(out, patches.size, attributes={"extraction": '{"seed": 1}'}) as writer:
        writer.append(patches.read(1, 5), patches.rows.iloc[1:5])
    main([str(out), "--out", str(tmp_path / "o.h5"), "--quiet"])
    assert read_attribute(tmp_path / "o.h5", "extraction") == '{"seed": 1}'


def test_the_original_layout_does_not_get_foreign_masks(tmp_path):
    camelyon(tmp_path / "cam.h5")
    main([str(tmp_path / "cam.h5"), "--out", str(tmp_path / "o.h5"), "--mpp", "0.25", "--quiet"])
    with open_patches(tmp_path / "o.h5") as patches:
        assert patches.mask_shape == patches.size
        assert set(patches.origin["masks"]) == {""}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mpp", "0"], "give micrometres a pixel"),
        (["--mpp", "nan"], "give micrometres a pixel"),
        (["--mpp", "2"], "read the patches finer"),
        (["--mpp", "0.5", "--workers", "0"], "give 1 or more"),
        (["--mpp", "0.5", "--overlay", "o.jpg"], "end its name with .png"),
        (["--segmenter", "cellpose"], "there is no segmenter 'cellpose'"),
        (["--segmenter", "classical:dir"], "there is no segmenter 'classical:dir'"),
        (["--segmenter", "masks"], "there is no segmenter 'masks'"),
        (["--segmenter", "masks:missing"], "there is no such folder"),
    ],
)
def test_bad_flags_are_one_line(store, tmp_path, capsys, flags, message):
    assert message in failure(capsys, store, "--out", tmp_path / "o.h5", *flags)
    assert not (tmp_path / "o.h5").exists()


def test_a_store_that_exists_is_not_replaced(store, tmp_path, capsys):
    (tmp_path / "o.h5").write_text("mine")
    assert "--overwrite" in failure(capsys, store, "--out", tmp_path / "o.h5", "--mpp", "0.5")
    assert (tmp_path / "o.h5").read_text() == "mine"


def test_more_nuclei_than_a_store_can_number(store, tmp_path):
    def countless(images, rows):
        return np.full(images.shape[:3], 65536, np.int32)

    with open_patches(store) as patches, pytest.raises(InputError, match="65536 nuclei in one patch"):
        store_nuclei(patches, open_concepts(store), countless, tmp_path / "o.h5")


def test_memory_is_flat(tmp_path):
    """Whatever the number of patches, the segmenter sees a batch at a time and the writer a block."""
    rows = make_rows(70, {"source": "s", "entry": [str(n) for n in range(70)], "mpp": 0.5})
    write_store(tmp_path / "p.h5", np.zeros((70, 8, 8, 3), np.uint8), rows)
    batches = []

    def watching(images, rows):
        batches.append(len(images))
        return np.zeros(images.shape[:3], np.int32)

    with open_patches(tmp_path / "p.h5") as patches:
        patches.block = 40
        counts = store_nuclei(patches, open_concepts(tmp_path / "p.h5"), watching, tmp_path / "o.h5")
    assert batches == [32, 8, 30]
    assert counts.shape == (70,)
