"""Labels and concepts from every source: the slide's line, a drawing, a table of its patches."""

import numpy as np
import pytest

from data_prep.embeddings import named_files, open_embeddings
from data_prep.errors import InputError
from tests.data_prep.annotations.samples import feature, polygon, write_asap, write_geojson
from tests.data_prep.embeddings.samples import clam, corners, numbers, table, trident, write

pytest.importorskip("shapely")


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def square(left, top, right, bottom, name="Tumor"):
    ring = box(left, top, right, bottom)
    return feature([[*ring, ring[0]]], name)


def labels(tmp_path, **cells):
    with open_embeddings(table(tmp_path / "slides.csv", [{"features": "a.h5", **cells}])) as found:
        return list(found.rows["label"])


# Eight patches of 512 level-0 pixels in two rows of four: the drawing covers the first, 60 % of the second, less of the
# third, and touches the fifth with its edge.
DRAWN = (0, 0, 512 + 308, 512)


@pytest.fixture(params=["geojson", "asap"])
def drawing(request, tmp_path):
    if request.param == "asap":
        pytest.importorskip("defusedxml")
        return write_asap(tmp_path / "a.xml", polygon(box(*DRAWN))).name
    return write_geojson(tmp_path / "a.geojson", square(*DRAWN)).name


def test_labels_follow_the_drawing_by_the_rules_of_extract(tmp_path, drawing):
    trident(tmp_path / "a.h5", numbers(8))
    # 308 of 512 pixels are 60.2 %; the second row shares an edge with the drawing, the third patch has no part in it.
    assert labels(tmp_path, annotation=drawing) == [1, 1, 0, 0, -1, -1, 0, 0]


def test_less_than_the_coverage_is_neither_and_so_is_a_class_that_nobody_knows(tmp_path, capsys):
    trident(tmp_path / "a.h5", numbers(8))
    write_geojson(tmp_path / "a.geojson", [square(10, 10, 300, 300), square(600, 100, 700, 200, "Stroma")])
    assert labels(tmp_path, annotation="a.geojson") == [-1, -1, 0, 0, 0, 0, 0, 0]
    assert "of class Stroma, whose meaning is unknown" in capsys.readouterr().err


def test_the_size_of_a_patch_comes_from_the_file_or_the_table(tmp_path):
    write_geojson(tmp_path / "a.geojson", square(0, 0, 256, 256))
    places = corners(4, side=256)
    clam(tmp_path / "a.h5", numbers(4), places)
    with pytest.raises(InputError, match="does not say how large its patches are"):
        labels(tmp_path, annotation="a.geojson")
    assert labels(tmp_path, annotation="a.geojson", patch_size_level0=256) == [1, -1, 0, 0]
    assert labels(tmp_path, annotation="a.geojson", patch_size_level0=512) == [-1, -1, 0, 0]
    # Patches of 64 pixels at a level of downsample 4, as CLAM's files of coordinates say it.
    level = {"patch_size": 64, "patch_level": 2, "downsample": (4.0, 4.0)}
    assets = {"features": numbers(4).astype("float32"), "coords": places.astype("int32")}
    write(tmp_path / "a.h5", assets, {"coords": level})
    assert labels(tmp_path, annotation="a.geojson") == [1, -1, 0, 0]


def test_a_drawing_of_another_slide_is_refused_where_the_size_is_known(tmp_path):
    write_geojson(tmp_path / "a.geojson", square(90_000, 0, 90_512, 512))
    trident(tmp_path / "a.h5", numbers(4), level0_width=2048, level0_height=1024)
    with pytest.raises(InputError, match="is not on a "):
        labels(tmp_path, annotation="a.geojson")
    trident(tmp_path / "a.h5", numbers(4))
    assert labels(tmp_path, annotation="a.geojson") == [0, 0, 0, 0]


def test_a_mask_image_needs_the_slide(tmp_path):
    trident(tmp_path / "a.h5", numbers(4))
    (tmp_path / "a.png").write_bytes(b"no matter")
    with pytest.raises(InputError, match="cannot be laid over patches without the slide"):
        labels(tmp_path, annotation="a.png")


def test_a_table_of_patches_gives_labels_and_concepts_by_place(tmp_path):
    trident(tmp_path / "a.h5", numbers(4))
    clam(tmp_path / "b.h5", numbers(2))
    lines = [
        {"x": 1024, "y": 0, "label": "tumor", "ncount": 7, "narea [px]": ""},
        {"x": 0, "y": 0, "label": "", "ncount": 2.5, "narea [px]": 30},
    ]
    table(tmp_path / "patches.csv", lines)
    slides = table(
        tmp_path / "slides.csv",
        [{"features": "a.h5", "label": "normal", "patches": "patches.csv"}, {"features": "b.h5"}],
    )
    with open_embeddings(slides) as found:
        assert list(found.rows["label"]) == [0, 0, 1, 0, -1, -1]
        nan = np.nan
        np.testing.assert_array_equal(found.concepts["ncount"], [2.5, nan, 7, nan, nan, nan])
        np.testing.assert_array_equal(found.concepts["narea"], [30, nan, nan, nan, nan, nan])
        assert found.concepts.attrs["units"] == {"ncount": "", "narea": "px"}
    assert [path.name for path in named_files(slides)] == ["a.h5", "patches.csv", "b.h5"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"x": 1, "y": 0}], "line 2: a.h5 has no patch at x 1, y 0 (1 such lines)"),
        ([{"x": 0, "y": 0}, {"x": 0, "y": 0}], "the patch at x 0, y 0 is listed twice"),
        ([{"x": 0, "y": 0, "label": "benign"}], "unknown labels 'benign'"),
        ([{"x": 0, "y": 0, "ncount": "many"}], "line 2: ncount is 'many', not a number"),
        ([{"x": 0, "label": 1}], "no column y; a table of patches has x,y"),
        ([{"x": 0, "y": 0, "a [px]": 1, "a [um2]": 1}], "several columns are called a"),
    ],
)
def test_a_table_of_patches_that_does_not_fit_is_refused(tmp_path, lines, said):
    trident(tmp_path / "a.h5", numbers(4))
    table(tmp_path / "patches.csv", lines)
    with pytest.raises(InputError) as caught:
        labels(tmp_path, patches="patches.csv")
    assert said in str(caught.value)
    assert "patches.csv" in str(caught.value)


def test_a_concept_in_two_units_is_refused(tmp_path):
    for name, unit in (("a", "px"), ("b", "um2")):
        trident(tmp_path / f"{name}.h5", numbers(4))
        table(tmp_path / f"{name}.csv", [{"x": 0, "y": 0, f"narea [{unit}]": 1}])
    slides = [{"features": f"{name}.h5", "patches": f"{name}.csv"} for name in "ab"]
    with pytest.raises(InputError, match="concept narea: in 'px' for some slides and 'um2' for others"):
        open_embeddings(table(tmp_path / "slides.csv", slides))
