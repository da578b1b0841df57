import cv2
import numpy as np
import pytest
import tifffile

from data_prep.annotations import rasterize, read_annotation
from data_prep.errors import InputError
from tests.data_prep.annotations.samples import a_slide


def blobs(height=80, width=100, seed=0):
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(height, width)), (0, 0), 5)
    return noise > 0.02


def save(path, mask):
    assert cv2.imwrite(str(path), mask)
    return path


@pytest.mark.parametrize("value", [1, 2, 255])
@pytest.mark.parametrize("name", ["m.png", "m.tif"])
def test_a_mask_of_the_slides_size_comes_back_pixel_for_pixel(tmp_path, name, value):
    mask = blobs()
    annotation = read_annotation(save(tmp_path / name, mask.astype(np.uint8) * value), a_slide())
    assert annotation.notes == ()
    assert annotation.tumor.is_valid
    np.testing.assert_array_equal(rasterize(annotation.tumor, mask.shape, 1.0), mask)


def test_a_smaller_mask_is_stretched(tmp_path):
    mask = blobs()
    annotation = read_annotation(save(tmp_path / "m.png", mask.astype(np.uint8)), a_slide(1600, 1280))
    assert annotation.tumor.area == mask.sum() * 16**2
    np.testing.assert_array_equal(rasterize(annotation.tumor, mask.shape, 16.0), mask)


def test_colored_and_16_bit_masks(tmp_path):
    mask = blobs()
    red = np.zeros((*mask.shape, 3), np.uint8)
    red[mask, 2] = 255
    for number, image in enumerate((red, mask.astype(np.uint16) * 65535)):
        annotation = read_annotation(save(tmp_path / f"{number}.png", image), a_slide())
        assert annotation.tumor.area == mask.sum()


def test_the_masks_of_whole_slides_are_read_at_a_level(tmp_path, monkeypatch):
    """As Camelyon16 has them: a tiled gray pyramid of 0 and 1."""
    monkeypatch.setattr("data_prep.annotations.mask._LONGEST", 100)
    mask = np.kron(blobs(), np.ones((8, 8), bool)).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "m.tif") as file:
        for level in range(5):
            file.write(mask[:: 2**level, :: 2**level], tile=(64, 64), compression="deflate", subfiletype=int(level > 0))
    annotation = read_annotation(tmp_path / "m.tif", a_slide(800, 640))
    assert annotation.tumor.area == mask.sum()
    np.testing.assert_array_equal(rasterize(annotation.tumor, (640, 800), 1.0), mask > 0)


def test_a_large_mask_without_levels_is_sampled_at_the_middle_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr("data_prep.annotations.mask._LONGEST", 100)
    monkeypatch.setattr("data_prep.annotations.mask._BLOCK", 64)
    small = blobs(83, 100)
    mask = np.kron(small, np.ones((5, 5), bool))[:412, :498]
    annotation = read_annotation(save(tmp_path / "m.png", mask.astype(np.uint8)), a_slide(498, 412))
    np.testing.assert_array_equal(rasterize(annotation.tumor, (412, 498), 1.0), mask)


def test_blended_edges_are_rounded_and_noted(tmp_path):
    mask = np.zeros((80, 100), np.uint8)
    mask[10:50, 10:50] = 200
    mask[10:50, 50], mask[10:50, 51] = 120, 40
    annotation = read_annotation(save(tmp_path / "m.png", mask), a_slide())
    assert annotation.tumor.bounds == (10, 10, 51, 50)
    assert annotation.notes == ("80 mask pixels between 0 and the largest value were rounded",)


def test_nothing_painted_is_no_tumor(tmp_path):
    assert read_annotation(save(tmp_path / "m.png", np.zeros((80, 100), np.uint8)), a_slide()).tumor.is_empty


@pytest.mark.parametrize("shape", [(100, 80), (80, 80), (8, 8)])
def test_a_mask_of_another_shape_is_of_another_slide(tmp_path, shape):
    path = save(tmp_path / "m.png", np.ones(shape, np.uint8))
    with pytest.raises(InputError, match=r"m\.png: mask and slide node differ in shape .*of another slide"):
        read_annotation(path, a_slide())


def test_what_is_no_mask_is_refused(tmp_path):
    noise = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"not a mask of tumor and the rest \(values 0, 1, 2, 3, 4, 5"):
        read_annotation(save(tmp_path / "a.png", noise.integers(0, 256, (800, 1000), np.uint8)), a_slide())
    with pytest.raises(InputError, match="speckled"):
        read_annotation(save(tmp_path / "b.png", noise.integers(0, 2, (800, 1000), np.uint8)), a_slide())
    clear = np.zeros((80, 100, 4), np.uint8)
    with pytest.raises(InputError, match="transparent in places"):
        read_annotation(save(tmp_path / "c.png", clear), a_slide())
    (tmp_path / "d.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"d\.png: not a slide or image"):
        read_annotation(tmp_path / "d.png", a_slide())
