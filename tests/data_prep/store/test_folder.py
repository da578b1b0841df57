"""A folder of images read like a store."""

import cv2
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.store.folder import ImageFolder


def noise(*shape, dtype="uint8"):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inner").mkdir()
    cv2.imwrite(str(tmp_path / "b.png"), noise(16, 16, 3))
    cv2.imwrite(str(tmp_path / "a.tif"), noise(20, 30, 3))
    cv2.imwrite(str(tmp_path / "inner" / "c.BMP"), noise(16, 16, 3))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_rows_are_the_images_in_order_of_their_paths(folder):
    images = ImageFolder(folder, 16)
    assert list(images.rows["entry"]) == ["a.tif", "b.png", "inner/c.BMP"]
    assert list(images.rows["source"]) == [folder.name] * 3
    assert (images.rows["label"] == -1).all()
    assert (len(images), images.size) == (3, (16, 16))


def test_pixels_are_rgb_and_taken_in_the_order_asked(folder):
    images = ImageFolder(folder, 16)
    np.testing.assert_array_equal(images[1], noise(16, 16, 3)[..., ::-1])
    taken = images.take([2, 0, 0])
    assert taken.shape == (3, 16, 16, 3)
    assert taken.dtype == np.uint8
    np.testing.assert_array_equal(taken[1], taken[2])
    np.testing.assert_array_equal(taken[0], images[2])


def test_crop_takes_the_middle_and_resize_the_whole(folder):
    image = noise(20, 30, 3)[..., ::-1]
    np.testing.assert_array_equal(ImageFolder(folder, 16)[0], image[2:18, 7:23])
    resized = cv2.resize(image, (24, 16), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(ImageFolder(folder, 16, "resize")[0], resized[:, 4:20])


def test_other_pixel_formats_become_rgb(tmp_path):
    gray = noise(8, 8)
    cv2.imwrite(str(tmp_path / "1gray.png"), gray)
    cv2.imwrite(str(tmp_path / "2deep.png"), gray.astype("uint16")[..., None].repeat(3, -1) * 257)
    cv2.imwrite(str(tmp_path / "3alpha.png"), np.dstack([gray, gray, gray, np.full_like(gray, 255)]))
    images = ImageFolder(tmp_path, 8)
    for index in range(3):
        np.testing.assert_array_equal(images[index], gray[..., None].repeat(3, -1))


def test_changes_are_counted_once_for_each_image(folder, capsys):
    cv2.imwrite(str(folder / "d.png"), noise(40, 40, dtype="uint16"))
    for fit, how in (("crop", "cropped to the middle 16 x 16"), ("resize", "resized to 16 x 16")):
        images = ImageFolder(folder, 16, fit)
        images.warn_of_changes()
        assert capsys.readouterr().err == ""
        images.take([0, 1, 2, 3, 0])
        images.warn_of_changes()
        assert capsys.readouterr().err.splitlines() == [
            "warning: 1 image: 16-bit scaled to 8-bit",
            "warning: 1 image: gray to RGB",
            f"warning: 2 images: of another size, {how}",
        ]


def test_what_cannot_be_read_is_named(folder):
    with pytest.raises(InputError, match="too few to crop 17"):
        ImageFolder(folder, 17)[1]
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:40])
    with pytest.raises(InputError, match=r"b\.png: not an image"):
        ImageFolder(folder, 16).take([0, 1])


@pytest.mark.parametrize("fit", ["crop", "resize"])
def test_a_slide_among_the_images_is_not_taken_for_a_patch(tmp_path, fit):
    cv2.imwrite(str(tmp_path / "patch.tif"), noise(128, 20, 3))
    cv2.imwrite(str(tmp_path / "slide.tif"), noise(129, 20, 3))
    images = ImageFolder(tmp_path, 8, fit)
    assert images[0].shape == (8, 8, 3)
    with pytest.raises(InputError, match=r"slide\.tif: 20 x 129 pixels are no patch; name slides one by one"):
        images[1]


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match="no image in this folder"):
        ImageFolder(tmp_path, 8)
