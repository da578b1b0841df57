"""The real annotations: Camelyon's XML against its polygons as JSON, and a slide's XML against its mask."""

import json

import cv2
import numpy as np
import pytest
import shapely
from skimage.draw import polygon2mask

from data_prep.annotations import rasterize, read_annotation
from data_prep.annotations.annotation import EXCLUSION, TUMOR
from data_prep.annotations.asap import read_asap
from data_prep.slides import open_slide
from tests.data_prep.annotations.samples import a_slide

CAMELYON16 = ("001", "030", "077", "086", "091", "094", "100")
WHOLE = a_slide(250_000, 250_000)
LONGEST = 2000


def overlap(found, true):
    return (found & true).sum() / (found | true).sum()


def polygons(shared, number):
    """Corners of tumor and of exclusions, from the JSON."""
    value = json.loads((shared / f"data/annotations/json/Tumor_{number}.json").read_text())
    return tuple([np.array(p["vertices"], float) for p in value[key]] for key in ("positive", "negative"))


@pytest.mark.parametrize("number", CAMELYON16)
def test_xml_and_json_have_the_same_corners(shared, number):
    drawing = read_asap(shared / f"data/annotations/asap/tumor_{number}.xml")
    assert drawing.notes == []
    for kind, rings in zip((TUMOR, EXCLUSION), polygons(shared, number), strict=True):
        drawn = [shape.rings[0] for shape in drawing.shapes if shape.kind == kind]
        assert len(drawn) == len(rings)
        for shape, ring in zip(drawn, rings, strict=True):
            np.testing.assert_array_equal(shape, ring)


@pytest.mark.parametrize("number", CAMELYON16)
def test_xml_rasterizes_as_the_json_polygons(shared, number):
    positive, negative = polygons(shared, number)
    corners = np.concatenate(positive)
    origin = corners.min(0) - 50
    scale = float((np.ptp(corners, axis=0).max() + 100) / LONGEST)
    annotation = read_annotation(shared / f"data/annotations/asap/tumor_{number}.xml", WHOLE)
    assert annotation.tumor.is_valid
    found = rasterize(annotation.tumor, (LONGEST, LONGEST), scale, tuple(origin))
    true = np.zeros_like(found)
    for rings, value in ((positive, True), (negative, False)):
        for ring in rings:
            true[polygon2mask(true.shape, ((ring - origin) / scale - 0.5)[:, ::-1])] = value
    assert overlap(found, true) >= 0.9999
    assert true.any()


def test_exclusions_are_cut_out_of_a_real_annotation(shared):
    annotation = read_annotation(shared / "data/annotations/asap/tumor_091.xml", WHOLE)
    hole = shapely.Polygon(polygons(shared, "091")[1][0])
    assert annotation.tumor.intersection(hole).area == pytest.approx(0, abs=1e-3)
    assert annotation.tumor.covers(hole.boundary.interpolate(0.5, normalized=True).buffer(0.5) - hole)


def test_a_real_annotation_of_camelyon17(shared):
    annotation = read_annotation(shared / "data/annotations/asap/patient_004_node_4.xml", a_slide(98_000, 200_000))
    assert len(shapely.get_parts(annotation.tumor)) == 3
    assert annotation.notes == ()


def test_the_annotation_of_a_slide_is_its_mask(shared):
    truth = cv2.imread(str(shared / "data/bcss/1019_tumour_mask.png"), cv2.IMREAD_UNCHANGED) > 0
    with open_slide(shared / "data/slides/bcss_1019_pyramid.tif") as slide:
        annotation = read_annotation(shared / "data/slides/bcss_1019_pyramid.xml", slide)
        painted = read_annotation(shared / "data/bcss/1019_tumour_mask.png", slide)
    assert annotation.notes == painted.notes == ()
    found = rasterize(annotation.tumor, truth.shape, 1.0)
    assert overlap(found, truth) >= 0.99
    # Its polygons were drawn through pixel centers: half a pixel is what the two conventions differ by.
    assert overlap(rasterize(annotation.tumor, truth.shape, 1.0, (-0.5, -0.5)), truth) >= 0.998
    np.testing.assert_array_equal(rasterize(painted.tumor, truth.shape, 1.0), truth)
