import numpy as np
import pytest
from PIL import Image

from data_prep.errors import InputError
from data_prep.nuclei import make_segmenter
from data_prep.store import make_rows, write_store

LABELS = np.array([[0, 5, 5], [9, 0, 0]])
RENUMBERED = [[0, 1, 1], [2, 0, 0]]
PATCH = np.zeros((1, 2, 3, 3), np.uint8)


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)


def found(folder, entry="a/b.png", number=0):
    rows = make_rows(1, {"source": "s", "entry": entry, "patch_no": number})
    return make_segmenter(f"masks:{folder}")(PATCH, rows)[0]


@pytest.mark.parametrize("name", ["b.png", "b_0.png", "a/b.tif", "a_b.tiff", "a/b_0.npy", "a_b_0.png"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_label_images_by_the_name_of_the_patch(tmp_path, name, dtype):
    save(tmp_path / name, LABELS.astype(dtype))
    labels = found(tmp_path)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, RENUMBERED)


def test_the_number_tells_the_patches_of_an_entry_apart(tmp_path):
    save(tmp_path / "slide.v2_0.png", LABELS.astype(np.uint8))
    save(tmp_path / "slide.v2_1.png", LABELS[:, ::-1].astype(np.uint8))
    np.testing.assert_array_equal(found(tmp_path, "slide.v2", 0), RENUMBERED)
    np.testing.assert_array_equal(found(tmp_path, "slide.v2", 1), [[1, 1, 0], [0, 0, 2]])
    with pytest.raises(InputError, match=r"no label image for the patch s slide\.v2 #2"):
        found(tmp_path, "slide.v2", 2)


def test_one_file_for_two_patches_is_refused(tmp_path):
    save(tmp_path / "b.png", LABELS.astype(np.uint8))
    rows = make_rows(2, {"source": "s", "entry": ["a/b.png", "c/b.png"]})
    with pytest.raises(InputError, match=r"fits the patches s a/b\.png #0 and s c/b\.png #0"):
        make_segmenter(f"masks:{tmp_path}")(np.repeat(PATCH, 2, axis=0), rows)


@pytest.mark.parametrize("entry", ["../secret", "/etc/secret", "a/../../secret", "..\\secret"])
def test_no_entry_leads_out_of_the_folder(tmp_path, entry):
    save(tmp_path / "secret.png", LABELS.astype(np.uint8))
    save(tmp_path / "etc" / "secret.png", LABELS.astype(np.uint8))
    (tmp_path / "masks").mkdir()
    with pytest.raises(InputError, match="no label image"):
        found(tmp_path / "masks", entry)


def test_a_plain_mask_is_split_into_its_parts(tmp_path):
    save(tmp_path / "b.png", np.array([[255, 0, 255], [255, 0, 0]], np.uint8))
    np.testing.assert_array_equal(found(tmp_path), [[1, 0, 2], [1, 0, 0]])


def test_pannuke_masks_as_an_array(tmp_path):
    masks = np.zeros((2, 3, 6))
    masks[0, 0, 0], masks[1, 2, 4], masks[..., 5] = 3, 3, 1
    save(tmp_path / "b.npy", masks)
    np.testing.assert_array_equal(found(tmp_path), [[1, 0, 0], [0, 0, 2]])


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "b.png",
            np.zeros((2, 2), np.uint8),
            "of 2 x 2 for a patch of 2 x 3 pixels; a mask is for one patch",
        ),
        ("b.png", np.zeros((2, 3, 3), np.uint8), r"shape \(2, 3, 3\)"),
        ("b.npy", np.full((2, 3), 0.5), "not whole numbers"),
        ("b.npy", np.full((2, 3), -1), "not whole numbers"),
        ("b.npy", np.full((2, 3), np.nan), "not whole numbers"),
        ("b.npy", np.array([[{}] * 3] * 2), "not a label image"),
        ("b.npy", np.zeros(3), r"shape \(3,\)"),
    ],
)
def test_other_arrays_are_refused(tmp_path, name, values, message):
    save(tmp_path / name, values)
    with pytest.raises(InputError, match=message):
        found(tmp_path)


@pytest.mark.parametrize("name", ["b.png", "b.tif", "b.npy"])
@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_damaged_files_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        found(tmp_path)


def test_masks_of_a_store(tmp_path):
    patches = np.zeros((2, 2, 3, 3), np.uint8)
    rows = make_rows(2, {"source": "s", "entry": "e", "patch_no": [0, 1]})
    write_store(tmp_path / "flat.h5", patches, rows, masks=np.stack([LABELS, LABELS[:, ::-1]]))
    segmenter = make_segmenter(f"masks:{tmp_path / 'flat.h5'}")
    # Rows in another order find their own masks.
    np.testing.assert_array_equal(segmenter(patches, rows[::-1])[1], RENUMBERED)
    np.testing.assert_array_equal(segmenter(patches, rows)[1], [[1, 1, 0], [0, 0, 2]])
    with pytest.raises(InputError, match="has no patch other e #0"):
        segmenter(patches, rows.assign(source="other"))
    with pytest.raises(InputError, match=r"masks of \(2, 3\) pixels"):
        segmenter(np.zeros((2, 4, 4, 3), np.uint8), rows)


def test_pannuke_masks_of_a_store(tmp_path):
    masks = np.zeros((1, 2, 3, 6), np.uint16)
    masks[0, 0, 0, 0], masks[0, 1, 2, 4], masks[..., 5] = 3, 3, 1
    rows = make_rows(1, {"source": "s", "entry": "e"})
    write_store(tmp_path / "flat.h5", PATCH, rows, masks=masks)
    labels = make_segmenter(f"masks:{tmp_path / 'flat.h5'}")(PATCH, rows)
    np.testing.assert_array_equal(labels[0], [[1, 0, 0], [0, 0, 2]])


def test_the_masks_of_a_store_are_no_plain_masks(tmp_path):
    in_two_parts, rows = np.array([[[5, 0, 5], [5, 0, 5]]]), make_rows(1, {"source": "s", "entry": "e"})
    write_store(tmp_path / "flat.h5", PATCH, rows, masks=in_two_parts)
    labels = make_segmenter(f"masks:{tmp_path / 'flat.h5'}")(PATCH, rows)
    np.testing.assert_array_equal(labels, in_two_parts // 5)


def test_masks_of_patches_of_one_name_are_refused(tmp_path):
    rows = make_rows(2, {"source": "s", "entry": "e", "patch_no": 0})
    write_store(tmp_path / "flat.h5", np.repeat(PATCH, 2, axis=0), rows, masks=np.stack([LABELS, LABELS]))
    with pytest.raises(InputError, match=r"flat\.h5: two patches are called s e #0"):
        make_segmenter(f"masks:{tmp_path / 'flat.h5'}")(PATCH, rows[:1])


def test_a_store_of_masks_that_is_replaced_or_lost(tmp_path):
    path, rows = tmp_path / "flat.h5", make_rows(1, {"source": "s", "entry": "e"})
    write_store(path, PATCH, rows, masks=LABELS[None])
    segmenter = make_segmenter(f"masks:{path}")
    np.testing.assert_array_equal(segmenter(PATCH, rows)[0], RENUMBERED)
    write_store(path, PATCH, rows, masks=LABELS[None, :, ::-1])
    np.testing.assert_array_equal(segmenter(PATCH, rows)[0], [[1, 1, 0], [0, 0, 2]])
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        segmenter(PATCH, rows)


def test_an_archive_of_arrays_is_no_label_image(tmp_path):
    with open(tmp_path / "b.npy", "wb") as file:
        np.savez(file, labels=LABELS)
    with pytest.raises(InputError, match="not a label image"):
        found(tmp_path)


def test_a_store_without_masks(tmp_path):
    write_store(tmp_path / "flat.h5", PATCH, make_rows(1))
    with pytest.raises(InputError, match="no masks"):
        make_segmenter(f"masks:{tmp_path / 'flat.h5'}")
