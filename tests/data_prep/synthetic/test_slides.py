import inspect
import json
import resource
from dataclasses import asdict
from xml.etree.ElementTree import parse

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from openslide import OpenSlide
from shapely.geometry import Polygon, shape
from skimage.draw import polygon2mask

from data_prep.cli import synthesize_slides as command
from data_prep.errors import InputError
from data_prep.synthetic import SlideSpec, plan_slides, synthesize_slides
from data_prep.synthetic.scene import draw_scene, rasterize
from data_prep.synthetic.slides import UNSCANNED, draw_slide, has_tumor

SMALL = SlideSpec(slides=4, patients=2, side=1280, mpp=0.5, seed=3)
HEIGHT = 1024


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    synthesize_slides(folder, **asdict(SMALL))
    return folder


@pytest.fixture(scope="module")
def drawn():
    return [draw_slide(SMALL, number) for number in range(SMALL.slides)]


def test_the_table_names_what_lies_beside_it(folder) -> None:
    table = pd.read_csv(folder / "slides.csv", dtype=str, keep_default_na=False)
    assert list(table) == ["slide", "patient", "centre", "annotation", "mpp"]
    assert table["patient"].tolist() == ["patient_000"] * 3 + ["patient_020"]
    assert table["centre"].tolist() == ["0", "0", "0", "1"]
    assert (table["mpp"] == "").all()
    named = {*table["slide"], *table["annotation"], "slides.csv", *("nuclei/" + table["slide"])}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == named


@given(st.integers(1, 100), st.integers(0, 60))
def test_patients_keep_their_centre_and_the_centres_their_camelyon_numbers(patients, extra) -> None:
    table = plan_slides(SlideSpec(slides=patients + extra, patients=patients))
    assert table["patient"].nunique() == patients
    assert table["slide"].is_unique
    assert (table["patient"].str[-3:].astype(int) // 20 == table["centre"].astype(int)).all()
    assert (table["patient"] == table["patient"].iloc[0]).sum() == extra + 1


def test_openslide_reads_what_was_drawn(folder, drawn) -> None:
    for name, slide in zip(plan_slides(SMALL)["slide"], drawn, strict=True):
        with OpenSlide(folder / name) as opened:
            assert opened.detect_format(folder / name) == "generic-tiff"
            assert opened.level_dimensions == ((1280, HEIGHT), (320, 256))
            assert float(opened.properties["openslide.mpp-x"]) == pytest.approx(0.5)
            assert float(opened.properties["openslide.mpp-y"]) == pytest.approx(0.5)
            read = np.asarray(opened.read_region((0, 0), 0, (1280, HEIGHT)).convert("RGB"))
        assert np.abs(read.astype(float) - slide.image).mean() < 6  # chroma of the outlines blurs in JPEG
        assert np.abs(read.mean(axis=(0, 1)) - slide.image.mean(axis=(0, 1))).max() < 1


def test_every_third_slide_is_lossless(folder, drawn) -> None:
    with tifffile.TiffFile(folder / plan_slides(SMALL)["slide"][2]) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), drawn[2].image)
        assert [page.is_reduced for page in file.pages] == [False, True]
        assert file.pages[1].is_tiled


def test_the_true_nuclei_lie_beside_the_slide(folder, drawn) -> None:
    for name, slide in zip(plan_slides(SMALL)["slide"], drawn, strict=True):
        labels = tifffile.imread(folder / "nuclei" / name)
        np.testing.assert_array_equal(labels, slide.labels)
        np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))
        assert labels.max() > 500
        gray = slide.image.mean(axis=2)
        field = np.s_[:, :HEIGHT]
        assert gray[field][labels[field] > 0].mean() + 60 < gray[field][labels[field] == 0].mean()


def test_annotations_hold_the_outlines(folder, drawn) -> None:
    table = plan_slides(SMALL)
    assert [len(slide.outlines) for slide in drawn] == [3, 0, 3, 3]
    assert table["annotation"].str.rpartition(".")[2].tolist() == ["xml", "xml", "xml", "geojson"]
    polygons = parse(folder / table["annotation"][0]).getroot().findall("Annotations/Annotation")  # noqa: S314 (ours)
    assert [polygon.get("PartOfGroup") for polygon in polygons] == ["metastases"] * 3 + ["exclusion"]
    rings = [
        [(float(vertex.get("X")), float(vertex.get("Y"))) for vertex in polygon.iter("Coordinate")]
        for polygon in polygons
    ]
    assert np.array_equal(rings[0], drawn[0].outlines[0].outer)
    assert np.array_equal(rings[3], drawn[0].outlines[0].hole)
    features = json.loads((folder / table["annotation"][3]).read_text())["features"]
    first = shape(features[0]["geometry"])
    assert first.equals(Polygon(drawn[3].outlines[0].outer, [drawn[3].outlines[0].hole]))
    assert {feature["properties"]["classification"]["name"] for feature in features} == {"Tumor"}


def test_tumor_nuclei_are_larger_within_the_outlines(drawn) -> None:
    for slide in (drawn[0], drawn[3]):
        inside = rasterize(slide.outlines, HEIGHT)
        labels = slide.labels[:, :HEIGHT]
        area = np.bincount(labels.ravel())[1:]
        share = np.bincount(labels.ravel(), inside.ravel())[1:] / area
        assert area[share > 0.9].mean() > 1.4 * area[share < 0.1].mean()


def test_same_arguments_same_bytes(folder, tmp_path) -> None:
    synthesize_slides(tmp_path, **asdict(SMALL))
    for path in folder.rglob("*.*"):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


def test_another_seed_another_slide(drawn) -> None:
    other = draw_slide(SlideSpec(4, 2, 1280, 0.5, 4), 0)
    assert (other.image != drawn[0].image).mean() > 0.5


def test_what_the_scanner_left_out_is_black_or_white() -> None:
    for centre, gray in UNSCANNED.items():
        image = draw_slide(SlideSpec(slides=5, patients=5, side=640), centre).image
        assert (image[:, 512:] == gray).all()
    assert (draw_slide(SlideSpec(slides=5, patients=5, side=640), 0).image[:, 520:] > 200).all()


@given(st.integers(0, 2**32), st.sampled_from([512, 700]))
@settings(deadline=None, max_examples=12)
def test_metastases_lie_in_tissue_apart_from_each_other(seed, side) -> None:
    scene = draw_scene(np.random.default_rng(seed), True, side, 0.5)
    shapes = [Polygon(outline.outer, [outline.hole] if outline.hole is not None else []) for outline in scene.outlines]
    assert all(polygon.is_valid for polygon in shapes)
    assert not any(one.intersects(other) for i, one in enumerate(shapes) for other in shapes[:i])
    assert len(shapes[0].interiors) == 1
    inside = rasterize(scene.outlines, side)
    assert (inside & ~scene.tissue).sum() < 0.15 * inside.sum()
    assert inside.sum() == pytest.approx(sum(polygon.area for polygon in shapes), rel=0.02)
    assert 0.3 < scene.tissue.mean() < 0.8


def test_rasterized_as_scikit_image_does() -> None:
    outlines = draw_scene(np.random.default_rng(1), True, 512, 0.5).outlines
    expected = np.zeros((512, 512), bool)
    for outline in outlines:
        expected |= polygon2mask((512, 512), outline.outer[:, ::-1] - 0.5)
    expected &= ~polygon2mask((512, 512), outlines[0].hole[:, ::-1] - 0.5)
    difference = rasterize(outlines, 512) ^ expected
    assert difference.sum() < 0.02 * expected.sum()  # pixels on the outline


def test_even_nodes_have_metastases() -> None:
    assert has_tumor("patient_000_node_0.tif")
    assert not has_tumor("patient_000_node_1.tif")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"slides": 0}, "slides is 0: give a value from 1 to 1000"),
        ({"slides": 3, "patients": 4}, "patients is 4: give a value from 1 to 3"),
        ({"side": 100}, "side is 100: give a value from 640 to 4096"),
        ({"mpp": 2.0}, "mpp is 2.0: give a value from 0.2 to 1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_values_out_of_range_are_refused_before_anything_is_written(tmp_path, wrong, message) -> None:
    with pytest.raises(InputError, match=message):
        synthesize_slides(tmp_path / "cohort", **wrong)
    assert not (tmp_path / "cohort").exists()


def test_the_command_writes_a_cohort_and_keeps_one_that_is_there(tmp_path, capsys) -> None:
    flags = [str(tmp_path), "--slides", "1", "--patients", "1", "--side", "640", "--quiet"]
    command.main(flags)
    table = tmp_path / "slides.csv"
    assert capsys.readouterr().out == f"{table}: 1 slides of 1 patients, 640 px wide at 0.5 um/px\n"
    before = table.stat().st_mtime_ns
    with pytest.raises(SystemExit) as stop:
        command.main(flags)
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith("exists already; choose another folder or add --overwrite\n")
    assert table.stat().st_mtime_ns == before
    command.main([*flags, "--overwrite"])


def test_a_place_that_is_no_folder_is_one_line(tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stop:
        command.main(
            [str(tmp_path / "file" / "cohort"), "--slides", "1", "--patients", "1", "--side", "640", "--quiet"]
        )
    assert stop.value.code == 2
    assert "part of this path is a file" in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_leaves_no_half_slide(tmp_path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(
            InputError, match=r"patient_000_node_0\.tif: could not be written: the file would be larger"
        ):
            synthesize_slides(tmp_path, slides=1, patients=1, side=640)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.rglob("*.*"))


def test_defaults_are_those_of_the_specification() -> None:
    for function in (synthesize_slides, command.synthesize_slides):
        parameters = inspect.signature(function).parameters
        for name, default in asdict(SlideSpec()).items():
            assert parameters[name].default == default
