import sys
from ctypes import c_uint32

import cv2
import numpy as np
import openslide
import pytest
import tifffile

from data_prep.errors import InputError
from data_prep.slides import open_slide
from data_prep.slides.openslide_file import OpenSlideFile, _over_white
from data_prep.store.images import GRAY, SIXTEEN_BIT
from tests.data_prep.slides.samples import tissue_like, write_tiff

IMAGE = tissue_like(200, 300)


def save(path, image):
    cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)
    return path


def test_generic_pyramids_open_through_openslide(tmp_path):
    with open_slide(write_tiff(tmp_path / "a.tif", IMAGE, mpp=0.25, levels=2)) as slide:
        assert (slide.name, slide.size, slide.bounds, slide.downsamples) == ("a", (300, 200), (0, 0), (1.0, 2.0))
        assert slide.mpp == pytest.approx(0.25, rel=1e-6)
        np.testing.assert_array_equal(slide.read(30, 40, 150, 0.25), IMAGE[40:190, 30:180])
        assert (slide.read(250, 150, 100, 0.25)[50:, 50:] == 255).all()


def test_tiled_gray_of_16_bits_is_not_left_to_openslide(tmp_path):
    """It opens the file, and gives other pixels."""
    deep = np.random.default_rng(0).integers(0, 65536, (200, 300)).astype(np.uint16)
    path = write_tiff(tmp_path / "a.tif", deep, photometric="minisblack")
    assert OpenSlideFile(path).vendor == "generic-tiff"
    with open_slide(path) as slide:
        assert slide.notes == {GRAY, SIXTEEN_BIT}
        expected = np.round(deep[:64, :64] / 257).astype(np.uint8)
        np.testing.assert_array_equal(slide.read(0, 0, 64, 0.5), np.repeat(expected[..., None], 3, axis=-1))


def test_a_given_scale_goes_before_the_files(tmp_path):
    path = write_tiff(tmp_path / "a.tif", IMAGE, mpp=0.25)
    with open_slide(path, 0.5) as slide:
        assert slide.mpp == 0.5


@pytest.mark.parametrize("mpp", [None, 25400 / 72])
def test_a_slide_without_a_scale_is_refused_with_the_remedy(tmp_path, mpp):
    path = write_tiff(tmp_path / "a.tif", IMAGE, mpp=mpp)
    with pytest.raises(InputError, match=r"a\.tif: does not say how many micrometres .* --slide-mpp"):
        open_slide(path)
    with open_slide(path, 0.25) as slide:
        assert slide.mpp == 0.25


def test_pixels_that_are_not_square_are_refused_unless_a_scale_is_given(tmp_path):
    options = {"resolution": (40000, 20000), "resolutionunit": "CENTIMETER"}
    path = write_tiff(tmp_path / "a.tif", IMAGE, mpp=None, **options)
    with pytest.raises(InputError, match=r"0.25 x 0.5 um are not square"):
        open_slide(path)
    open_slide(path, 0.25).close()


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "é.PNG"])
def test_plain_images_need_a_scale(tmp_path, name):
    path = save(tmp_path / name, IMAGE)
    with pytest.raises(InputError, match="--slide-mpp"):
        open_slide(path)
    with open_slide(path, 0.5) as slide:
        assert (slide.size, slide.downsamples, slide.notes) == ((300, 200), (1.0,), frozenset())
        np.testing.assert_array_equal(slide.read(10, 20, 100, 0.5), IMAGE[20:120, 10:110])


def test_gray_and_16_bit_images_are_converted_and_noted(tmp_path):
    path = save(tmp_path / "a.png", IMAGE[..., 0].astype(np.uint16) * 257)
    with open_slide(path, 0.5) as slide:
        assert slide.notes == {GRAY, SIXTEEN_BIT}
        np.testing.assert_array_equal(slide.read(0, 0, 200, 0.5), np.repeat(IMAGE[:, :200, :1], 3, axis=-1))


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_an_image_cut_short_is_refused(tmp_path, name):
    path = save(tmp_path / name, IMAGE)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"not a slide or image that can be opened .*Pillow: .*truncated"):
        open_slide(path, 0.5)


def test_an_image_too_large_for_memory_is_refused_by_its_header(tmp_path):
    from PIL import Image

    Image.new("1", (20_000, 20_000)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"Pillow: .*exceeds limit"):
        open_slide(tmp_path / "a.png", 0.5)


@pytest.mark.parametrize("content", [b"", b"no slide", b"II*\0", b"\x89PNG\r\n\x1a\n", b"<html>"])
def test_other_files_are_one_line_that_names_what_was_tried(tmp_path, content):
    path = tmp_path / "a.svs"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.svs: not a slide .*OpenSlide: .*; tifffile: .*; Pillow: ") as stop:
        open_slide(path, 0.5)
    assert "\n" not in str(stop.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        open_slide(tmp_path / "a.svs")
    with pytest.raises(InputError, match="not a slide"):
        open_slide(tmp_path, 0.5)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_slide_cut_short_is_one_line_on_opening_or_reading(shared, tmp_path, share):
    whole = (shared / "data/slides/CMU-1-Small-Region.svs").read_bytes()
    path = tmp_path / "cut.svs"
    path.write_bytes(whole[: int(len(whole) * share)])
    with (
        pytest.raises(InputError, match=r"cut\.svs: .*(copy it again|is the copy complete)") as stop,
        open_slide(path) as slide,
    ):
        slide.overview(2.0)
    assert "\n" not in str(stop.value)


def test_damaged_tiles_are_one_line(tmp_path):
    path = write_tiff(tmp_path / "a.tif", IMAGE, mpp=0.25)
    data = bytearray(path.read_bytes())
    data[400:4000] = bytes(3600)
    path.write_bytes(data)
    with (
        pytest.raises(InputError, match=r"a\.tif: cannot be read at x \d+, y \d+ .*copy it again"),
        open_slide(path) as slide,
    ):
        slide.overview(0.25)


@pytest.mark.parametrize("module", ["openslide", "tifffile"])
def test_a_missing_library_is_named_with_the_remedy(tmp_path, monkeypatch, module):
    path = write_tiff(tmp_path / "a.tif", IMAGE, tile=None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r'missing: pip install "mta\[slides\]"'):
        open_slide(path)


def test_what_was_not_scanned_is_white():
    words = np.array([[0xFF0A141E, 0x00000000, 0x33140A00]], np.uint32)
    assert _over_white(words).tolist() == [[[10, 20, 30], [255, 255, 255], [224, 214, 204]]]


def test_words_become_what_openslide_makes_of_them():
    """For each alpha, and each premultiplied value that it can have."""
    alpha, value = np.meshgrid(np.arange(256, dtype=np.uint32), np.arange(256, dtype=np.uint32))
    value = np.minimum(value, alpha)
    words = alpha << 24 | value << 16 | value // 2 << 8 | value // 3
    buffer = (c_uint32 * words.size).from_buffer_copy(words)
    straight = np.asarray(openslide.lowlevel._load_image(buffer, words.shape)).astype(np.float32)
    share = straight[..., 3:] / 255
    expected = np.round(straight[..., :3] * share + 255 * (1 - share))
    np.testing.assert_array_equal(_over_white(words), expected)


@pytest.mark.parametrize(
    ("name", "size", "mpp", "downsamples"),
    [
        ("CMU-1-Small-Region.svs", (2220, 2967), 0.499, (1.0,)),
        ("bcss_1019_pyramid.tif", (3072, 2560), 0.25, (1.0, 2.0, 4.0)),
    ],
)
def test_real_slides_read_what_openslide_reads(shared, name, size, mpp, downsamples):
    path = shared / "data/slides" / name
    reference = openslide.OpenSlide(path)
    with open_slide(path) as slide:
        assert (slide.size, slide.mpp, slide.downsamples) == (size, mpp, downsamples)
        for x, y in ((0, 0), (513, 1027), (size[0] - 224, size[1] - 224)):
            expected = np.asarray(reference.read_region((x, y), 0, (224, 224)))[..., :3]
            np.testing.assert_array_equal(slide.read(x, y, 224, mpp), expected)
        for level, down in enumerate(downsamples):
            expected = np.asarray(reference.read_region((512, 256), level, (100, 100)))[..., :3]
            np.testing.assert_array_equal(slide.read(512, 256, 100, mpp * down), expected)


def test_tiles_too_large_for_memory_are_not_left_to_openslide(tmp_path):
    """OpenSlide ends the process where it cannot have memory for a tile."""
    path = write_tiff(tmp_path / "a.tif", IMAGE)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name in ("TileWidth", "TileLength"):
            file.pages[0].tags[name].overwrite(1 << 15)
    with pytest.raises(InputError, match=r"OpenSlide: tiles of 32768 x 32768 pixels"):
        open_slide(path)
