import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import tifffile

from data_prep.errors import InputError
from data_prep.slides import open_slide
from data_prep.slides.source import RefusedError
from data_prep.slides.tiff_file import TiffPyramid
from data_prep.store.images import GRAY, SIXTEEN_BIT, three_channels
from tests.data_prep.slides.samples import halves, tissue_like, write_ome, write_tiff

IMAGE = tissue_like(200, 300)
MICRONS = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}


def opened(path):
    return closing(TiffPyramid(path))


def whole(path):
    with opened(path) as pyramid:
        return pyramid.region(0, 0, 0, *pyramid.sizes[0])


def test_ome_levels_and_scale_are_read(tmp_path):
    """OpenSlide opens this file too, but sees one level and no scale."""
    with open_slide(write_ome(tmp_path / "a.ome.tif", IMAGE, MICRONS)) as slide:
        assert isinstance(slide._source, TiffPyramid)
        assert (slide.size, slide.mpp, slide.downsamples) == ((300, 200), 0.25, (1.0, 2.0, 4.0))
        np.testing.assert_array_equal(slide.read(70, 50, 100, 0.25), IMAGE[50:150, 70:170])
        np.testing.assert_array_equal(slide.read(80, 40, 40, 0.5), halves(IMAGE, 2)[1][20:60, 40:80])


@pytest.mark.parametrize(
    ("size", "mpp"),
    [
        ({"PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 250.0, "PhysicalSizeYUnit": "nm"}, 0.25),
        ({"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}, 0.5),
        (
            {"PhysicalSizeX": 1.0, "PhysicalSizeXUnit": "pixel", "PhysicalSizeY": 1.0, "PhysicalSizeYUnit": "pixel"},
            None,
        ),
    ],
)
def test_units_of_ome(tmp_path, size, mpp):
    with opened(write_ome(tmp_path / "a.tif", IMAGE, size)) as pyramid:
        assert pyramid.mpp() == (None if mpp is None else pytest.approx(mpp))


STRIPS = {"tile": None, "rowsperstrip": 7}


@pytest.mark.parametrize(
    "options",
    [
        {},
        STRIPS,
        {"tile": None, "rowsperstrip": 200},
        {"compression": None},
        {"compression": "lzw", "predictor": True},
        {"planarconfig": "separate"},
        {"planarconfig": "separate", **STRIPS},
        {"compression": "jpeg", "photometric": "ycbcr"},
        {"compression": "jpeg", "photometric": "ycbcr", "subsampling": (2, 2)},
        {"compression": "jpeg2000"},
        {"compression": "webp", "compressionargs": {"lossless": True}},
        {"byteorder": ">"},
    ],
    ids=str,
)
def test_every_way_of_storing_gives_what_tifffile_reads_at_once(tmp_path, options):
    path, image = tmp_path / "a.tif", IMAGE
    order = options.pop("byteorder", None) if "byteorder" in options else None
    if options.get("planarconfig") == "separate":
        image = np.moveaxis(image, -1, 0)
    with tifffile.TiffWriter(path, byteorder=order) as file:
        file.write(image, **({"tile": (64, 64), "compression": "deflate", "photometric": "rgb"} | options))
    expected = tifffile.imread(path)
    expected = np.moveaxis(expected, 0, -1) if expected.shape[0] == 3 else expected
    np.testing.assert_array_equal(whole(path), expected)
    with opened(path) as pyramid:
        np.testing.assert_array_equal(pyramid.region(0, 33, 61, 100, 90), expected[61:151, 33:133])


def test_sixteen_bits_and_gray_are_converted_as_images_are(tmp_path):
    deep = IMAGE.astype(np.uint16) * 257 + 3
    with opened(write_tiff(tmp_path / "deep.tif", deep, tile=None)) as pyramid:
        assert pyramid.notes == {SIXTEEN_BIT}
        np.testing.assert_array_equal(pyramid.region(0, 0, 0, 300, 200), three_channels(deep)[0])
    gray = write_tiff(tmp_path / "gray.tif", deep[..., 0], photometric="minisblack", **STRIPS)
    with open_slide(gray) as slide:
        assert slide.notes == {GRAY, SIXTEEN_BIT}
        np.testing.assert_array_equal(slide.read(5, 5, 90, 0.5), np.repeat(IMAGE[5:95, 5:95, :1], 3, axis=-1))


def test_white_zero_palettes_and_single_bits(tmp_path):
    white = write_tiff(tmp_path / "white.tif", IMAGE[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(whole(white)[..., 0], 255 - IMAGE[..., 0])
    colors = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16)
    palette = write_tiff(tmp_path / "p.tif", IMAGE[..., 0], photometric="palette", colormap=colors * 257)
    np.testing.assert_array_equal(whole(palette), np.moveaxis(colors[:, IMAGE[..., 0]], 0, -1))
    bits = IMAGE[..., 0] > 128
    single = write_tiff(tmp_path / "b.tif", bits, photometric="minisblack", compression=None, tile=None)
    np.testing.assert_array_equal(whole(single)[..., 1], bits * np.uint8(255))


def test_alpha_is_composed_over_white(tmp_path):
    alpha = np.where(np.arange(300) < 100, 0, 255).astype(np.uint8)
    image = np.dstack([IMAGE, np.broadcast_to(alpha, (200, 300))])
    seen = whole(write_tiff(tmp_path / "a.tif", image, extrasamples=["unassalpha"]))
    assert (seen[:, :100] == 255).all()
    np.testing.assert_array_equal(seen[:, 100:], IMAGE[:, 100:])


def test_only_the_tiles_that_are_needed_are_decoded_and_kept(tmp_path, monkeypatch):
    read = []
    with opened(write_tiff(tmp_path / "a.tif", IMAGE)) as pyramid:
        real = pyramid._read
        monkeypatch.setattr(pyramid, "_read", lambda page, index: read.append(index) or real(page, index))
        pyramid.region(0, 70, 10, 60, 60)
        assert read == [1, 2, 6, 7]  # five tiles of 64 across
        pyramid.region(0, 80, 20, 40, 40)
        assert read == [1, 2, 6, 7]
        assert pyramid._decoded.cache_info().maxsize * 64 * 64 * 3 <= 128 * 2**20


def test_tiles_that_were_never_written_are_white(tmp_path):
    blocks = [None if number in (1, 7) else np.full((64, 64, 3), number, np.uint8) for number in range(20)]
    path = tmp_path / "sparse.tif"
    tifffile.imwrite(path, iter(blocks), shape=(200, 300, 3), dtype=np.uint8, tile=(64, 64), photometric="rgb")
    seen = whole(path)
    assert (seen[:64, 64:128] == 255).all()
    assert (seen[:64, :64] == 0).all()
    assert (seen[64:128, 64:128] == 6).all()


@pytest.mark.parametrize(
    ("image", "options", "why"),
    [
        (IMAGE.astype(np.float32), {}, "pixels of type float32"),
        (np.zeros((4, 200, 300), np.uint8), {"photometric": "minisblack"}, "several planes"),
        (np.zeros((200, 300, 4), np.uint8), {"photometric": "separated"}, "not RGB or gray"),
        (IMAGE.astype(np.int16), {}, "pixels of type int16"),
    ],
)
def test_other_images_are_refused(tmp_path, image, options, why):
    with pytest.raises(RefusedError, match=why):
        TiffPyramid(write_tiff(tmp_path / "a.tif", image, **options))


ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]><OME>&b;</OME>'


@pytest.mark.parametrize(
    "bomb",
    [
        f'<?xml version="1.0"?>{ENTITY}',
        f'<?xml version="1.0" encoding="UTF-16"?>{ENTITY}',
        f'<?xml version="1.0" encoding="klingon"?>{ENTITY}',
        f"<a b=></a>{ENTITY}",
    ],
    ids=["plain", "utf-16", "klingon", "not_well_formed"],
)
def test_a_description_with_entities_is_refused(tmp_path, bomb):
    path = write_tiff(tmp_path / "a.tif", IMAGE, description=bomb, tile=None)
    with pytest.raises(RefusedError, match="entities"):
        TiffPyramid(path)
    with pytest.raises(InputError, match="entities"):
        open_slide(path)


def test_no_other_file_is_opened_for_ome(tmp_path):
    """An OME header may name the files that hold its planes; ours says that the pixels lie next door."""
    write_ome(tmp_path / "other.ome.tif", IMAGE, MICRONS, levels=1)
    with tifffile.TiffFile(tmp_path / "other.ome.tif") as other:
        xml = other.ome_metadata
    elsewhere = '<TiffData IFD="0" PlaneCount="1"><UUID FileName="other.ome.tif">urn:uuid:1</UUID></TiffData>'
    xml = re.sub("<TiffData[^>]*/>|<TiffData.*</TiffData>", elsewhere, xml)
    assert "other.ome.tif" in xml
    path = write_tiff(tmp_path / "a.ome.tif", 255 - IMAGE, description=xml.encode(), mpp=None)
    try:
        seen = whole(path)
    except RefusedError:
        return
    np.testing.assert_array_equal(seen, 255 - IMAGE)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("options", [{}, STRIPS], ids=["tiles", "strips"])
def test_a_file_cut_short_is_one_line_on_opening_or_reading(tmp_path, share, options):
    whole_file = write_tiff(tmp_path / "whole.tif", IMAGE, levels=2, **options).read_bytes()
    path = tmp_path / "cut.tif"
    path.write_bytes(whole_file[: int(len(whole_file) * share)])
    with (
        pytest.raises(InputError, match=r"cut\.tif: .*(copy it again|is the copy complete)") as stop,
        open_slide(path) as slide,
    ):
        slide.overview(0.5)
        slide.overview(1.0)
    assert "\n" not in str(stop.value)


def test_threads_read_from_one_open_file(tmp_path, monkeypatch):
    """With a cache of one tile, so that every box goes to the file."""
    monkeypatch.setattr("data_prep.slides.tiff_file.CACHE_BYTES", 1)
    places = [(x, y) for x in range(0, 260, 20) for y in range(0, 160, 20)] * 4
    with opened(write_ome(tmp_path / "a.ome.tif", IMAGE, MICRONS)) as pyramid, ThreadPoolExecutor(8) as pool:
        boxes = pool.map(lambda place: pyramid.region(0, *place, 40, 40), places)
        for (x, y), box in zip(places, boxes, strict=True):
            np.testing.assert_array_equal(box, IMAGE[y : y + 40, x : x + 40])
