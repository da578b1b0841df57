"""From slides to a store: the rows say where the pixels are from, and are right."""

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from PIL import Image

from data_prep.annotations import read_annotation
from data_prep.cohorts import read_slides
from data_prep.extraction import ExtractionSettings, extract
from data_prep.slides import open_slide
from data_prep.store import KEY, open_patches, read_attribute
from data_prep.store.verify import verify
from tests.data_prep.extraction.conftest import SETTINGS


@pytest.fixture(scope="module")
def extracted(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "nodes.h5"
    return extract(read_slides(table), SETTINGS, out), out


def test_every_patch_is_what_the_slide_holds_at_its_place(extracted, table):
    _, out = extracted
    slides = {entry.slide: entry for entry in read_slides(table)}
    with open_patches(out) as patches:
        assert patches.size == (64, 64)
        for name, rows in patches.rows.groupby("slide"):
            with open_slide(slides[name].path) as slide:
                for row in rows.itertuples():
                    np.testing.assert_array_equal(patches[row.Index], slide.read(row.x, row.y, 64, 0.5))


def test_labels_follow_the_annotation(extracted, table):
    _, out = extracted
    rows = open_patches(out).rows
    assert set(rows["label"]) == {0, 1}
    for entry in read_slides(table):
        with open_slide(entry.path) as slide:
            tumor = read_annotation(entry.annotation, slide).tumor
        of_slide = rows[rows["slide"] == entry.slide]
        boxes = shapely.box(of_slide["x"], of_slide["y"], of_slide["x"] + 64, of_slide["y"] + 64)
        shares = shapely.area(shapely.intersection(boxes, tumor)) / 64**2
        assert (shares[of_slide["label"] == 1] >= 0.6 - 1e-9).all()
        assert (shares[of_slide["label"] == 0] == 0).all()


def test_rows_are_keyed_and_in_the_order_of_the_cohort(extracted, table):
    result, out = extracted
    rows = open_patches(out).rows
    assert not rows.duplicated(KEY).any()
    assert set(rows["source"]) == {"nodes"}
    assert (rows["entry"] == rows["slide"]).all()
    assert rows["slide"].drop_duplicates().tolist() == [entry.slide for entry in read_slides(table)]
    for _, of_slide in rows.groupby("slide"):
        assert of_slide["patch_no"].tolist() == list(range(len(of_slide)))
    assert set(rows["mpp"]) == {0.5}
    assert dict(zip(rows["patient"], rows["centre"], strict=True)) == {"patient_000": "0", "patient_020": "1"}
    assert len(rows) == sum(state.total for state in result.states)
    assert [finding for finding in verify([out]) if finding.problem] == []


def test_the_store_says_how_it_was_made(extracted, table):
    result, out = extracted
    said = json.loads(read_attribute(out, "extraction"))
    assert said["settings"]["mpp"] == 0.5
    assert said["settings"]["limits"]["white_level"] == 200
    assert [slide["slide"] for slide in said["slides"]] == [entry.slide for entry in read_slides(table)]
    assert [slide["patches"] for slide in said["slides"]] == [state.patches for state in result.states]
    assert [slide["refused"] for slide in said["slides"]] == [state.refused for state in result.states]
    assert {slide["level0_mpp"] for slide in said["slides"]} == {0.5}
    assert not list(out.parent.glob("*.parts"))


def test_a_picture_and_a_line_for_every_slide(extracted, table):
    result, out = extracted
    names = {entry.slide for entry in read_slides(table)}
    folder = out.parent / "nodes.previews"
    assert {path.name for path in folder.iterdir()} == {f"{name}.png" for name in names}
    with Image.open(folder / "patient_020_node_0.png") as image:
        picture = np.asarray(image)
    for color in ((0, 90, 220), (220, 30, 30), (0, 140, 60)):
        assert (picture == color).all(axis=-1).sum() > 100
    summary = result.summary.read_text()
    assert summary.count("| done |") == 3
    assert f"{sum(state.total for state in result.states)} patches" in summary


def pixels_of(entries, settings, folder, **options):
    folder.mkdir()
    extract(entries, settings, folder / "s.h5", **options)
    with open_patches(folder / "s.h5") as patches:
        return patches.rows, patches.read(0, len(patches))


def test_neither_the_other_slides_nor_their_number_change_a_draw(table, tmp_path):
    entries = read_slides(table)
    rows, pixels = pixels_of(entries, SETTINGS, tmp_path / "all")
    alone, of_alone = pixels_of(entries[2:], SETTINGS, tmp_path / "one")
    mine = (rows["slide"] == entries[2].slide).to_numpy()
    np.testing.assert_array_equal(pixels[mine], of_alone)
    np.testing.assert_array_equal(rows.loc[mine, ["x", "y", "label"]], alone[["x", "y", "label"]])


def test_fewer_are_the_first_of_more_and_another_seed_gives_others(table, tmp_path):
    entries = read_slides(table)[2:]
    more, _ = pixels_of(entries, SETTINGS, tmp_path / "more")
    fewer, _ = pixels_of(entries, replace(SETTINGS, count=4), tmp_path / "fewer")
    other, _ = pixels_of(entries, replace(SETTINGS, seed=1), tmp_path / "other")
    for label in (0, 1):
        mine = more.loc[more["label"] == label, ["x", "y"]].to_numpy()
        np.testing.assert_array_equal(mine[:4], fewer.loc[fewer["label"] == label, ["x", "y"]])
        assert not (mine[:4] == other.loc[other["label"] == label, ["x", "y"]].to_numpy()[:4]).all()


def test_a_grid_takes_every_place(painted, tmp_path):
    settings = ExtractionSettings(mpp=0.5, size=50, sampling="grid")
    rows, _ = pixels_of([painted()], settings, tmp_path / "grid")
    assert {tuple(place) for place in rows[["x", "y"]].to_numpy()} == {
        (x, y) for x in range(50, 450, 50) for y in range(50, 350, 50)
    }
    assert set(rows["label"]) == {-1}
    dense, _ = pixels_of([painted()], replace(settings, stride=25), tmp_path / "dense")
    assert len(dense) > 3 * len(rows)


def test_coarser_patches_are_reductions(painted, tmp_path):
    entry = painted()
    rows, pixels = pixels_of([entry], ExtractionSettings(mpp=1.0, size=50, count=5), tmp_path / "coarse")
    image = np.asarray(Image.open(entry.path)).astype(float)
    for row, patch in zip(rows.itertuples(), pixels, strict=True):
        box = image[row.y : row.y + 100, row.x : row.x + 100].reshape(50, 2, 50, 2, 3).mean(axis=(1, 3))
        assert np.abs(box - patch).max() <= 0.5
    assert set(rows["mpp"]) == {1.0}


def test_a_wholly_normal_slide_needs_no_annotation(painted, tmp_path):
    rows, _ = pixels_of([painted(label="normal", role="train")], SETTINGS, tmp_path / "n")
    assert set(rows["label"]) == {0}
    assert set(rows["role"]) == {"train"}


def test_the_original_reads_level_0_and_draws_with_replacement(painted, tmp_path):
    settings = ExtractionSettings(size=64, sampling="original", margin=0, count=100)
    rows, _ = pixels_of([replace(painted(), mpp=0.243)], settings, tmp_path / "o")
    assert set(rows["mpp"]) == {0.243}
    assert (rows[["x", "y"]] % 128 == 0).all(axis=None)
    assert len(rows) == 100 > len(rows[["x", "y"]].drop_duplicates())
