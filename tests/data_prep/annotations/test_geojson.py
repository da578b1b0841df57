import json

import pytest
import shapely

from data_prep.annotations import read_annotation
from data_prep.errors import InputError
from tests.data_prep.annotations.samples import BOW_TIE, HOLE, SQUARE, a_slide, feature, write_geojson

BOX = shapely.box(10, 10, 50, 50)


def read(tmp_path, value, **options):
    slide = options.pop("slide", a_slide())
    return read_annotation(write_geojson(tmp_path / "node.geojson", value), slide, **options)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "FeatureCollection", "features": [feature([SQUARE])]},
        [feature([SQUARE])],
        feature([SQUARE]),
        feature([[SQUARE]], kind="MultiPolygon"),
        feature([[*SQUARE, SQUARE[0]]]),
        feature([[(*corner, 0.0) for corner in SQUARE]]),
        feature([SQUARE], "Tumor: Positive"),
        feature([SQUARE], classification="tumor"),
        feature([SQUARE], objectType=None),
    ],
    ids=range(9),
)
def test_every_form_of_export(tmp_path, value):
    annotation = read(tmp_path, value)
    assert annotation.tumor.equals(BOX)
    assert (annotation.aside, annotation.unknown, annotation.notes) == (None, (), ())


def test_json_and_a_byte_order_mark_are_read_too(tmp_path):
    path = tmp_path / "node.json"
    path.write_text(json.dumps(feature([SQUARE])), encoding="utf-8-sig")
    assert read_annotation(path, a_slide()).tumor.equals(BOX)


def test_holes_and_exclusions_are_cut_out(tmp_path):
    other = tuple((x + 12, y + 12) for x, y in HOLE)
    annotation = read(tmp_path, [feature([SQUARE, HOLE]), feature([other], "Exclusion"), feature([HOLE], "Ignore*")])
    assert annotation.tumor.equals(BOX - shapely.box(20, 20, 30, 30) - shapely.box(32, 32, 42, 42))


def test_several_polygons_of_one_feature(tmp_path):
    other = tuple((x + 45, y + 25) for x, y in SQUARE)
    assert read(tmp_path, feature([[SQUARE, HOLE], [other]], kind="MultiPolygon")).tumor.area == 3200 - 100


def test_coordinates_count_from_the_scanned_area_or_not(tmp_path):
    slide = a_slide(200, 200, bounds=(30, 40))
    assert read(tmp_path, feature([SQUARE]), slide=slide).tumor.bounds == (40, 50, 80, 90)
    assert read(tmp_path, feature([SQUARE]), slide=slide, in_bounds=False).tumor.bounds == (10, 10, 50, 50)


def test_what_is_left_aside_is_noted(tmp_path):
    annotation = read(
        tmp_path,
        [
            feature([SQUARE]),
            feature([HOLE], "Stroma"),
            feature([HOLE], None),
            feature([HOLE], objectType="cell"),
            feature([HOLE], objectType="cell"),
            feature([1, 2], kind="Point"),
            {"type": "Feature", "geometry": None, "properties": None},
        ],
    )
    assert annotation.tumor.equals(BOX)
    assert annotation.aside.equals(shapely.box(20, 20, 30, 30))
    assert annotation.unknown == ("None", "Stroma")
    assert annotation.notes == (
        "left aside: 1 of class None, whose meaning is unknown",
        "left aside: 1 of class Stroma, whose meaning is unknown",
        "left aside: 2 of object type cell, not annotation",
        "left aside: 1 of type None, which has no area",
        "left aside: 1 of type Point, which has no area",
    )


def test_repairs_are_named_after_the_object(tmp_path):
    annotation = read(tmp_path, feature([BOW_TIE], name="lesion 3"))
    assert annotation.tumor.area == 800
    assert annotation.notes == ("repaired: polygon lesion 3 (self-intersection)",)


def test_halves_of_characters_become_question_marks(tmp_path):
    half = "\ud800"
    annotation = read(
        tmp_path,
        [
            feature([BOW_TIE], name=f"loop {half}"),
            feature([HOLE], f"Odd{half}"),
            feature([HOLE], objectType=half),
            feature([1, 2], kind=f"Point{half}"),
        ],
    )
    assert annotation.unknown == ("Odd?",)
    assert annotation.notes == (
        "left aside: 1 of class Odd?, whose meaning is unknown",
        "left aside: 1 of object type ?, not annotation",
        "left aside: 1 of type Point?, which has no area",
        "repaired: polygon loop ? (self-intersection)",
    )


def test_an_empty_collection_is_no_tumor(tmp_path):
    assert read(tmp_path, {"type": "FeatureCollection", "features": []}).tumor.is_empty


@pytest.mark.parametrize("coordinates", [[], [[]], [[[1, 1]]], [[[1, 1], [9, 9]]], [[[1, 1], [9, 9], [1, 1]]]])
def test_polygons_of_two_points_are_left_aside_or_refused_alone(tmp_path, coordinates):
    annotation = read(tmp_path, [feature([SQUARE]), feature(coordinates)])
    assert annotation.tumor.equals(BOX)
    assert annotation.notes[0].startswith("left aside: polygon Tumor has ")
    with pytest.raises(InputError, match="no tumor polygon that can be used"):
        read(tmp_path, feature(coordinates))


def test_annotation_of_another_slide(tmp_path):
    with pytest.raises(InputError, match="of another slide"):
        read(tmp_path, feature([SQUARE]), slide=a_slide(20, 20))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("{", "not whole JSON"),
        ('{"type": "FeatureCollection", "features": [', "not whole JSON"),
        ("[" * 100_000, "not whole JSON"),
        ("\xff\xfe", "not whole JSON|not GeoJSON"),
        ("[NaN]", "NaN is no number"),
        ("1", "not GeoJSON features"),
        ("[[]]", "not GeoJSON features"),
        ("{}", "not GeoJSON features"),
        ('{"type": "FeatureCollection"}', "not GeoJSON features"),
        ('{"type": "FeatureCollection", "features": {"a": 1}}', "not GeoJSON features"),
        ('{"type": "Topology"}', "not GeoJSON features"),
    ],
)
def test_damaged_files_are_one_line(tmp_path, text, why):
    path = tmp_path / "node.geojson"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"node\.geojson: .*({why})") as stop:
        read_annotation(path, a_slide())
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize(
    "coordinates",
    [
        None,
        1,
        "ab",
        [1],
        [[1]],
        [[[1]]],
        [[["a", "b"]]],
        [[[None, 1]]],
        [[[10**400, 1]]],
        [[[1e12, 1]]],
        [[{"x": 1}]],
        {"a": []},
    ],
)
def test_coordinates_that_are_no_numbers_are_refused(tmp_path, coordinates):
    with pytest.raises(InputError, match="export it again"):
        read(tmp_path, [feature([SQUARE]), feature(coordinates)])
