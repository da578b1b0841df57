"""Regions for QuPath, read back as annotations."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from data_prep.annotations import read_annotation
from data_prep.sampling import Ground
from mta.slides.grid import Grid
from mta.slides.regions import write_regions
from tests.data_prep.annotations.samples import a_slide

NAMES = ["tumor probability", "ncount [nuclei]"]


def a_grid(shape, step=32.0, corner=(0, 0), size=(1000, 800)):
    nothing = np.zeros((0, 2), np.int64)
    ground = Ground(size, corner, 8.0, np.ones((2, 2), bool))
    return Grid(32, 0.5, step, step, corner, shape, nothing, nothing, np.ones(shape, bool), step / 2, 0.1, ground,
                np.zeros((2, 2, 3), np.uint8))  # fmt: skip


@pytest.fixture
def maps():
    """An L of three cells, a cell that touches it at a corner only, one just below the threshold, and nothing."""
    maps = np.full((2, 6, 8), np.nan, np.float32)
    maps[0, 1:5, 1:7], maps[1] = 0.2, 10
    maps[0, [1, 2, 2], [2, 2, 3]] = [0.5, 0.75, 1.0]
    maps[0, 3, 4], maps[0, 4, 6] = 0.9, 0.4999
    maps[1, 2, 3] = 40
    return maps


def squares(*cells, step=32, corner=(0, 0)):
    boxes = [(corner[0] + column * step, corner[1] + row * step) for row, column in cells]
    return shapely.union_all([shapely.box(x, y, x + step, y + step) for x, y in boxes])


EXPECTED = (1, 2), (2, 2), (2, 3), (3, 4)


def test_regions_are_cells_that_share_edges_with_their_measurements(maps, tmp_path):
    assert write_regions(tmp_path / "r.geojson", a_grid((6, 8)), maps, NAMES, 0.5) == 2
    first, second = json.loads((tmp_path / "r.geojson").read_text())["features"]
    assert first["properties"]["objectType"] == "annotation"
    assert first["properties"]["classification"]["name"] == "Tumor: predicted"
    assert first["properties"]["measurements"] == {
        "Area mm2": pytest.approx(3 * 0.016**2),
        "Mean tumor probability": 0.75,
        "Maximum tumor probability": 1.0,
        "Mean ncount [nuclei]": 20.0,
    }
    ring = first["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert shapely.Polygon(ring).equals(squares(*EXPECTED[:3]))
    assert len(ring) == 7  # no corners along straight lines
    assert shapely.Polygon(second["geometry"]["coordinates"][0]).equals(squares(EXPECTED[3]))


@pytest.mark.parametrize("bounds", [(0, 0), (96, 57)])
def test_both_ways_of_counting_read_it_back(maps, tmp_path, bounds):
    """QuPath counts from the scanned corner: our reader brings that back to level 0, and without bounds it does not."""
    path = tmp_path / "r.geojson"
    write_regions(path, a_grid((6, 8), corner=bounds), maps, NAMES, 0.5)
    slide = a_slide(1000, 800, bounds=bounds)
    assert read_annotation(path, slide).tumor.equals(squares(*EXPECTED, corner=bounds))
    assert read_annotation(path, slide, in_bounds=False).tumor.equals(squares(*EXPECTED))


def test_holes_stay_holes(tmp_path):
    maps = np.ones((2, 3, 3), np.float32)
    maps[0, 1, 1] = 0
    write_regions(tmp_path / "r.geojson", a_grid((3, 3)), maps, NAMES, 0.5)
    tumor = read_annotation(tmp_path / "r.geojson", a_slide(1000, 800)).tumor
    assert tumor.equals(shapely.box(0, 0, 96, 96) - shapely.box(32, 32, 64, 64))


def test_nothing_above_the_threshold_is_an_empty_collection(tmp_path):
    maps = np.zeros((2, 3, 3), np.float32)
    assert write_regions(tmp_path / "r.geojson", a_grid((3, 3)), maps, NAMES, 0.5) == 0
    assert read_annotation(tmp_path / "r.geojson", a_slide(100, 100)).tumor.is_empty


def test_steps_of_fractions_are_rounded_as_the_patches_are_and_end_with_the_slide(tmp_path):
    grid = replace(a_grid((3, 3), step=33.4), ground=SimpleNamespace(size=(90, 500)))
    maps = np.ones((2, 3, 3), np.float32)
    write_regions(tmp_path / "r.geojson", grid, maps, NAMES, 0.5)
    assert read_annotation(tmp_path / "r.geojson", a_slide(90, 500)).tumor.bounds == (0, 0, 90, 100)
