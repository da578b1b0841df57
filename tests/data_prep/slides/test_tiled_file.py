"""Tiles are put together only where that gives what OpenSlide gives."""

from contextlib import closing

import numpy as np
import openslide
import pytest
import tifffile

from data_prep.errors import InputError
from data_prep.slides import open_slide
from data_prep.slides.openslide_file import OpenSlideFile
from data_prep.slides.tiff_file import TiffPyramid
from data_prep.slides.tiled_file import TiledFile
from tests.data_prep.slides.samples import tissue_like, write_tiff

IMAGE = tissue_like(256, 384)
JPEG = {"compression": "jpeg", "compressionargs": {"level": 80}}


def forbid(monkeypatch, owner):
    """Let `owner` read nothing after the trial tile."""

    def refuse(*_):
        raise AssertionError(f"{owner.__name__} was asked")

    monkeypatch.setattr(owner, "region", refuse)


@pytest.mark.parametrize("options", [JPEG, {}, {"compression": None}, {**JPEG, "subsampling": (1, 1)}])
def test_every_level_is_what_openslide_reads(tmp_path, monkeypatch, options):
    path = write_tiff(tmp_path / "a.tif", IMAGE, mpp=0.25, levels=3, **options)
    with open_slide(path, 0.25) as slide, openslide.OpenSlide(path) as reference:
        assert isinstance(slide._source, TiledFile)
        for level in range(3):
            assert slide._source.region(level, 0, 0, 1, 1).shape == (1, 1, 3)
            assert slide._source._trusted[level]
        forbid(monkeypatch, OpenSlideFile)
        for level, (width, height) in enumerate(reference.level_dimensions):
            expected = np.asarray(reference.read_region((0, 0), level, (width, height)))[..., :3]
            np.testing.assert_array_equal(slide._source.region(level, 0, 0, width, height), expected)
            x, y = width // 3, height // 5
            part = slide._source.region(level, x, y, width // 2, height // 2)
            np.testing.assert_array_equal(part, expected[y : y + height // 2, x : x + width // 2])


def test_a_level_between_whole_numbers_is_left_to_openslide(tmp_path, monkeypatch):
    path = write_tiff(tmp_path / "a.tif", tissue_like(255, 383), levels=2)
    with open_slide(path) as slide, openslide.OpenSlide(path) as reference:
        assert slide._source.sizes[1] == (191, 127)
        forbid(monkeypatch, TiffPyramid)
        corner = tuple(round(20 * down) for down in (reference.level_downsamples[1],) * 2)
        expected = np.asarray(reference.read_region(corner, 1, (50, 60)))[..., :3]
        np.testing.assert_array_equal(slide._source.region(1, 20, 20, 50, 60), expected)


def test_a_decoder_that_disagrees_in_one_value_is_not_trusted(tmp_path, monkeypatch):
    path, decode = write_tiff(tmp_path / "a.tif", IMAGE), TiffPyramid._decode

    def other(pyramid, level, row, column):
        tile = decode(pyramid, level, row, column).copy()
        tile[-1, -1, -1] ^= 1
        return tile

    monkeypatch.setattr(TiffPyramid, "_decode", other)
    with open_slide(path) as slide:
        np.testing.assert_array_equal(slide.read(0, 0, 256, 0.5), IMAGE[:256, :256])
        assert slide._source._trusted == {0: False}


def test_a_tile_that_was_left_out_is_left_to_openslide(tmp_path):
    path = write_tiff(tmp_path / "a.tif", IMAGE)
    with tifffile.TiffFile(path, mode="r+b") as file:
        counts = file.pages[0].tags["TileByteCounts"]
        counts.overwrite((0, *counts.value[1:]))
    with closing(TiffPyramid(path)) as tiles:
        assert not tiles.is_plain(0)
    with open_slide(path) as slide:
        assert (slide.read(0, 0, 64, 0.5) == 255).all()
        np.testing.assert_array_equal(slide.read(64, 64, 100, 0.5), IMAGE[64:164, 64:164])
        assert slide._source._trusted == {0: False}


def test_a_tile_that_is_damaged_is_one_line(tmp_path):
    path = write_tiff(tmp_path / "a.tif", IMAGE)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        damaged = int(np.argmin(page.databytecounts))
        offset, count = page.dataoffsets[damaged], page.databytecounts[damaged]
    data = bytearray(path.read_bytes())
    data[offset : offset + count] = bytes(count)
    path.write_bytes(data)
    row, column = divmod(damaged, IMAGE.shape[1] // 64)
    with open_slide(path) as slide:
        other = (column + 1) % 6 * 64
        assert (slide.read(other, row * 64, 64, 0.5) == IMAGE[row * 64 :, other:][:64, :64]).all()
        with pytest.raises(InputError, match=r"a\.tif: cannot be read at x \d+, y \d+ .*copy it again"):
            slide.read(column * 64, row * 64, 64, 0.5)


def test_the_richest_tile_is_the_one_with_most_to_compare(tmp_path):
    image = np.full((200, 300, 3), 200, np.uint8)
    image[130:, 260:] = IMAGE[130:200, 260:300]
    with closing(TiffPyramid(write_tiff(tmp_path / "a.tif", image))) as tiles:
        assert tiles.richest_tile(0) == (256, 128, 44, 64)


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "bcss_1019_pyramid.tif"])
def test_real_slides_are_put_together_from_their_tiles(shared, name):
    """All of their pixels."""
    path = shared / "data/slides" / name
    with open_slide(path) as slide, openslide.OpenSlide(path) as reference:
        for level, (width, height) in enumerate(reference.level_dimensions):
            expected = np.asarray(reference.read_region((0, 0), level, (width, height)))[..., :3]
            np.testing.assert_array_equal(slide._source.region(level, 0, 0, width, height), expected)
            assert slide._source._trusted[level]
