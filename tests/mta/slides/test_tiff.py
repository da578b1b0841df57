"""Heatmaps read back from OME-TIFF."""

import numpy as np
import pytest
import tifffile

from data_prep.slides.tiff_scale import ome_mpp, parse_description
from mta.slides.heatmap import pyramid
from mta.slides.tiff import write_heatmap

NAMES = ["tumor probability", "narea [px]"]


@pytest.fixture
def maps():
    maps = np.random.default_rng(0).random((2, 301, 420)).astype(np.float32)
    maps[:, :40] = np.nan
    maps[:, 41:43, 10] = np.nan
    return maps


def test_what_was_written_is_read_back(maps, tmp_path):
    path = tmp_path / "h.ome.tif"
    write_heatmap(path, maps, NAMES, 112.0)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        (series,) = file.series
        assert (series.axes, series.dtype) == ("CYX", np.float32)
        assert [level.shape for level in series.levels] == [(2, 301, 420), (2, 151, 210), (2, 76, 105), (2, 38, 53)]
        np.testing.assert_array_equal(series.asarray(), maps)
        for level, expected in zip(series.levels, pyramid(maps), strict=True):
            np.testing.assert_array_equal(level.asarray(), expected)
        page = file.pages.first
        assert page.is_tiled
        assert page.subifds is not None
        root = parse_description(file.ome_metadata)
        assert ome_mpp(root) == (112.0, 112.0)
        assert [node.get("Name") for node in root.iter() if node.tag.endswith("}Channel")] == NAMES
        above, below = page.tags["XResolution"].value
        assert 1e4 * below / above == pytest.approx(112.0)


def test_a_level_is_the_mean_of_what_is_known(maps):
    half = pyramid(maps)[1]
    assert np.isnan(half[:, :20]).all()
    np.testing.assert_allclose(half[0, 30, 7], maps[0, 60:62, 14:16].mean(), rtol=1e-6)
    np.testing.assert_allclose(half[0, 20, 5], np.nanmean(maps[0, 40:42, 10:12]), rtol=1e-6)
    np.testing.assert_allclose(half[1, 150, 209], maps[1, 300, 418:].mean(), rtol=1e-6)  # an odd last row


def test_a_small_one_has_one_level_and_equal_ones_are_equal_files(tmp_path):
    maps = np.full((2, 3, 5), 0.5, np.float32)
    for name in "ab":
        write_heatmap(tmp_path / name, maps, NAMES, 8.0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a"), maps)
