import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import scale, translate

from data_prep.errors import InputError
from data_prep.nuclei import make_segmenter
from data_prep.nuclei.outlines import Drawn, draw, read_outlines
from data_prep.store import make_rows

ROUND = [shapely.Point(110, 205).buffer(6), shapely.Point(124, 214).buffer(4), shapely.Point(300, 300).buffer(9)]
PATCH = np.zeros((1, 16, 16, 3), np.uint8)
ROW = {"source": "s", "entry": "e", "slide": "slide.1", "x": 100, "y": 200, "mpp": 0.5}


def feature(polygon, **extra):
    return {"type": "Feature", "geometry": shapely.geometry.mapping(polygon), "properties": {}, **extra}


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def found(folder, at="@0.25", **row):
    return make_segmenter(f"geojson:{folder}{at}")(PATCH, make_rows(1, ROW | row))[0]


def expected(polygons, corner=(100, 200), factor=2.0, side=16):
    """Pixels whose middle lies in a polygon, by shapely."""
    y, x = np.mgrid[:side, :side] + 0.5
    moved = [scale(translate(p, -corner[0], -corner[1]), 1 / factor, 1 / factor, origin=(0, 0)) for p in polygons]
    return [shapely.contains_xy(polygon, x, y) for polygon in moved]


@pytest.mark.parametrize("shape", ["collection", "list", "qupath", "cellvit"])
def test_the_nuclei_of_a_slide_are_placed_on_its_patches(tmp_path, shape):
    whole = [feature(polygon) for polygon in ROUND]
    cells = [feature(polygon.buffer(30), nucleusGeometry=shapely.geometry.mapping(polygon)) for polygon in ROUND]
    values = {
        "collection": {"type": "FeatureCollection", "features": whole},
        "list": whole,
        "qupath": {"type": "FeatureCollection", "features": cells},
        "cellvit": [feature(shapely.MultiPolygon(ROUND[:1])), feature(shapely.MultiPolygon(ROUND[1:]))],
    }
    write(tmp_path / "slide.1.geojson", values[shape])
    labels = found(tmp_path)
    first, second, third = expected(ROUND)
    assert not third.any()
    np.testing.assert_array_equal(labels, first * 1 + second * 2)
    assert labels.max() == 2


@pytest.mark.parametrize("kind", ["detection", "cell"])
def test_a_region_beside_nuclei_is_none(tmp_path, kind):
    region = feature(shapely.box(0, 0, 400, 400), properties={"objectType": "annotation"})
    write(tmp_path / "slide.1.geojson", [region, *(feature(p, properties={"objectType": kind}) for p in ROUND)])
    first, second, _ = expected(ROUND)
    np.testing.assert_array_equal(found(tmp_path), first * 1 + second * 2)
    # CellViT and others write nuclei as annotations.
    write(tmp_path / "other.geojson", [feature(p, properties={"objectType": "annotation"}) for p in ROUND])
    np.testing.assert_array_equal(found(tmp_path, slide="other"), first * 1 + second * 2)


def test_without_a_slide_the_entry_names_the_file(tmp_path):
    write(tmp_path / "e.geojson", [feature(ROUND[0])])
    assert found(tmp_path, slide="", entry="e", patch_no=3).max() == 1


def test_a_file_for_a_patch_is_in_its_own_pixels(tmp_path):
    write(tmp_path / "e_0.geojson", [feature(shapely.box(2, 3, 5, 9))])
    labels = found(tmp_path, at="", x=-1, y=-1)
    assert labels.sum() == labels[3:9, 2:5].sum() == 18


def test_resolutions_of_slides_from_a_table(tmp_path):
    write(tmp_path / "slide.1.geojson", [feature(polygon) for polygon in ROUND])
    write(tmp_path / "slides.csv", "slide,mpp\nother,1\nslide.1,0.25\n")
    np.testing.assert_array_equal(found(tmp_path, at=""), found(tmp_path))
    assert (found(tmp_path, at="@0.5") != found(tmp_path)).any()


def test_resolutions_of_slides_from_the_extraction_of_the_store(tmp_path):
    for folder in (tmp_path / "bare", tmp_path / "listed"):
        folder.mkdir()
        write(folder / "slide.1.geojson", [feature(polygon) for polygon in ROUND])
    write(tmp_path / "listed" / "slides.csv", "slide,mpp\nslide.1,0.5\n")
    slides = [{"slide": "bad", "level0_mpp": None}, {"slide": "slide.1", "level0_mpp": 0.25}]

    def by(folder):
        find = make_segmenter(f"geojson:{tmp_path / folder}", extraction=json.dumps({"slides": slides}))
        return find(PATCH, make_rows(1, ROW))[0]

    np.testing.assert_array_equal(by("bare"), found(tmp_path / "bare"))
    for told in ("bare@0.5", "listed"):
        np.testing.assert_array_equal(by(told), found(tmp_path / "bare", at="@0.5"))


@pytest.mark.parametrize("text", ["{}", "[]", "3", "[", '{"slides": [3]}', '{"slides": [{"slide": "slide.1"}]}'])
def test_an_extraction_that_says_nothing_of_resolutions(tmp_path, text):
    write(tmp_path / "slide.1.geojson", [feature(ROUND[0])])
    with pytest.raises(InputError, match="are not known"):
        make_segmenter(f"geojson:{tmp_path}", extraction=text)(PATCH, make_rows(1, ROW))


@pytest.mark.parametrize("table", ["slide,mpp\nslide.1,x\n", "slide\nslide.1\n", "slide,mpp\nslide.1,0\n"])
def test_a_damaged_table(tmp_path, table):
    write(tmp_path / "slide.1.geojson", [feature(ROUND[0])])
    write(tmp_path / "slides.csv", table)
    with pytest.raises(InputError, match=r"slides\.csv"):
        found(tmp_path, at="")


@pytest.mark.parametrize(
    ("row", "mpp", "message"),
    [
        ({"x": -1}, "@0.25", "no x, y and mpp"),
        ({"mpp": np.nan}, "@0.25", "no x, y and mpp"),
        ({}, "", "um a pixel of the slide slide.1 are not known"),
        ({"slide": "another"}, "@0.25", "no GeoJSON for s e #0"),
    ],
)
def test_what_is_missing_is_said(tmp_path, row, mpp, message):
    write(tmp_path / "slide.1.geojson", [feature(ROUND[0])])
    with pytest.raises(InputError, match=message):
        found(tmp_path, mpp, **row)


def test_a_corner_beyond_all_numbers_is_none(tmp_path):
    ring = [[0, 0], [10**400, 0], [5, 5], [0, 0]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    write(tmp_path / "slide.1.geojson", [{"type": "Feature", "properties": {}, "geometry": shape}])
    with pytest.raises(InputError, match="an outline has no three corners of two numbers"):
        found(tmp_path)


@pytest.mark.parametrize("mpp", ["@0", "@1.2.3", "@999"])
def test_a_resolution_that_is_none(tmp_path, mpp):
    with pytest.raises(InputError, match="is no resolution"):
        make_segmenter(f"geojson:{tmp_path}{mpp}")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1",
        "3",
        "[3]",
        '{"type": "Feature"}',
        '[{"geometry": {"type": "Point", "coordinates": [1, 2]}}]',
        '[{"geometry": {"type": "Polygon", "coordinates": []}}]',
        '[{"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}}]',
        '[{"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [NaN, 1]]]}}]',
        '[{"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3], [4, 1]]]}}]',
        '[{"geometry": {"type": "Polygon", "coordinates": [[["a", "b"], [3, 4], [4, 1]]]}}]',
        "[" * 100_000,
    ],
)
def test_damaged_files_are_refused(tmp_path, content):
    write(tmp_path / "slide.1.geojson", content)
    with pytest.raises(InputError, match=r"slide\.1\.geojson"):
        found(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "geometry", "coordinates", "features", "nucleusGeometry"]), inner)
        | st.builds(lambda c: {"geometry": {"type": "Polygon", "coordinates": c}}, inner)
        | st.builds(lambda c: [{"geometry": {"type": "MultiPolygon", "coordinates": c}}], inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("fuzz") / "f.geojson"
    write(path, value)
    try:
        drawn = read_outlines(path)
    except InputError:
        return
    assert len(drawn.boxes) == len(drawn.starts) - 1
    assert len(drawn.corners) == drawn.starts[-1]


def test_no_features_are_no_nuclei(tmp_path):
    write(tmp_path / "slide.1.geojson", {"type": "FeatureCollection", "features": []})
    assert found(tmp_path).max() == 0


def test_where_outlines_overlap_the_first_stays():
    boxes = [np.array([(1, 1), (5, 1), (5, 5), (1, 5)], float), np.array([(3, 3), (7, 3), (7, 7), (3, 7)], float)]
    outlines = Drawn(np.concatenate(boxes), np.array([0, 4, 8]), np.array([(1, 1, 5, 5), (3, 3, 7, 7)], float))
    labels = draw(outlines, (8, 8))
    assert (labels == 1).sum() == 16
    assert (labels == 2).sum() == 12
