import cv2
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.store.images import GRAY, SIXTEEN_BIT, TRANSPARENT, fitter, read_image

RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)


def saved(path, image):
    """Write channels as given (RGB, RGBA) in OpenCV's order."""
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(image.shape[-1] if image.ndim == 3 else 0)
    assert cv2.imwrite(str(path), image if code is None else cv2.cvtColor(image, code))
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_rgb_is_kept(tmp_path, suffix):
    image, notes = read_image(saved(tmp_path / f"é.{suffix}", RGB))
    np.testing.assert_array_equal(image, RGB)
    assert notes == frozenset()


def test_gray_becomes_three_equal_channels(tmp_path):
    image, notes = read_image(saved(tmp_path / "a.png", RGB[..., 0]))
    np.testing.assert_array_equal(image, np.repeat(RGB[..., :1], 3, axis=-1))
    assert notes == {GRAY}


def test_transparency_is_composed_over_white(tmp_path):
    opaque = np.dstack([RGB, np.full((6, 5), 255, np.uint8)])
    image, notes = read_image(saved(tmp_path / "a.png", opaque))
    np.testing.assert_array_equal(image, RGB)
    assert notes == frozenset()
    half = opaque.copy()
    half[0, 0] = (100, 50, 0, 51)
    half[0, 1, 3] = 0
    image, notes = read_image(saved(tmp_path / "a.png", half))
    # 51 / 255 = 0.2 of the color and 0.8 of white.
    assert image[0, :2].tolist() == [[224, 214, 204], [255, 255, 255]]
    np.testing.assert_array_equal(image[1:], RGB[1:])
    assert notes == {TRANSPARENT}


def test_sixteen_bits_are_scaled(tmp_path):
    deep = np.array([[[0, 257, 65535], [128, 129, 40000]]], np.uint16)
    image, notes = read_image(saved(tmp_path / "a.png", deep))
    assert image.tolist() == [[[0, 1, 255], [0, 1, 156]]]
    assert notes == {SIXTEEN_BIT}
    image, notes = read_image(saved(tmp_path / "g.tif", deep[..., 2]))
    assert image.tolist() == [[[255] * 3, [156] * 3]]
    assert notes == {SIXTEEN_BIT, GRAY}


def test_palettes_and_gray_with_alpha(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    image_module.fromarray(RGB).quantize(256).save(tmp_path / "p.png")
    np.testing.assert_array_equal(
        read_image(tmp_path / "p.png")[0], np.asarray(image_module.open(tmp_path / "p.png").convert("RGB"))
    )
    image_module.fromarray(np.array([[[10, 255], [10, 0]]], np.uint8), "LA").save(tmp_path / "la.png")
    assert read_image(tmp_path / "la.png")[0].tolist() == [[[10] * 3, [255] * 3]]


def test_what_is_no_image_is_named(tmp_path, capfd):
    with pytest.raises(InputError, match=r"a.png: the image cannot be opened \(No such file or directory\)"):
        read_image(tmp_path / "a.png")
    for data in (b"", b"text", saved(tmp_path / "b.png", RGB).read_bytes()[:40]):
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(InputError, match=r"a.png: not an image"):
            read_image(tmp_path / "a.png")
    saved(tmp_path / "f.tif", RGB.astype(np.float32))
    with pytest.raises(InputError, match="float32 pixels; save it as an 8- or 16-bit image"):
        read_image(tmp_path / "f.tif")


def test_crop_takes_the_middle_and_resize_keeps_the_aspect():
    patch, scale = fitter(4, "crop")(RGB)
    np.testing.assert_array_equal(patch, RGB[1:5, 0:4])
    assert scale == 1
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 200
    patch, scale = fitter(2, "resize")(wide)
    assert patch.shape == (2, 2, 3)
    assert (patch == 200).all()
    assert scale == 2
    patch, scale = fitter(8, "resize")(wide)
    assert patch.shape == (8, 8, 3)
    assert scale == 0.5
    np.testing.assert_array_equal(fitter(None, "crop")(RGB)[0], RGB)
    with pytest.raises(ValueError, match="6x5 pixels are too few to crop 6; give --fit resize, or a smaller size"):
        fitter(6, "crop")(RGB)
