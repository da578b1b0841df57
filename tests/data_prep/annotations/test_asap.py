import pytest
import shapely

from data_prep.annotations import read_annotation
from data_prep.errors import InputError
from tests.data_prep.annotations.samples import BOW_TIE, HOLE, SQUARE, a_slide, polygon, write_asap


def read(tmp_path, *annotations, slide=None):
    return read_annotation(write_asap(tmp_path / "node.xml", *annotations), slide or a_slide())


@pytest.mark.parametrize("group", ["_0", "_1", "metastases", "Metastases", "Tumor", "tumour"])
def test_tumor_groups(tmp_path, group):
    annotation = read(tmp_path, polygon(SQUARE, group))
    assert annotation.tumor.equals(shapely.box(10, 10, 50, 50))
    assert annotation.notes == ()


@pytest.mark.parametrize("group", ["_2", "exclusion", "Exclusion", "normal"])
def test_exclusions_are_cut_out(tmp_path, group):
    annotation = read(tmp_path, polygon(HOLE, group), polygon(SQUARE))
    assert annotation.tumor.equals(shapely.box(10, 10, 50, 50) - shapely.box(20, 20, 30, 30))
    assert annotation.aside is None


@pytest.mark.parametrize("group", ["exclude", "Exclude", "ignore", "Ignore*"])
def test_what_is_not_to_be_used_is_neither_tumor_nor_normal(tmp_path, group):
    annotation = read(tmp_path, polygon(HOLE, group), polygon(SQUARE))
    assert annotation.tumor.equals(shapely.box(10, 10, 50, 50) - shapely.box(20, 20, 30, 30))
    assert annotation.aside.equals(shapely.box(20, 20, 30, 30))
    assert (annotation.unknown, annotation.notes) == ((), ())


def test_overlapping_tumor_is_united_where_the_original_made_holes(tmp_path):
    moved = tuple((x + 20, y + 10) for x, y in SQUARE)
    annotation = read(tmp_path, polygon(SQUARE), polygon(moved), polygon(HOLE))
    assert annotation.tumor.area == 2 * 1600 - 20 * 30


@pytest.mark.parametrize("group", ["None", "necrosis", ""])
def test_unknown_groups_are_noted(tmp_path, group):
    annotation = read(tmp_path, polygon(SQUARE), polygon(HOLE, group), polygon(HOLE, group))
    assert annotation.tumor.area == 1600
    assert annotation.aside.equals(shapely.box(20, 20, 30, 30))
    assert annotation.unknown == (group or "None",)
    assert annotation.notes == (f"left aside: 2 in group {group or 'None'}, whose meaning is unknown",)
    with pytest.raises(InputError, match=r"no tumor polygon that can be used .*unknown.*; tumor is _0, .*metastases"):
        read(tmp_path, polygon(SQUARE, group))


def test_what_has_no_area_is_noted(tmp_path):
    annotation = read(tmp_path, polygon(SQUARE), polygon(SQUARE[:1], kind="Dot"), polygon(SQUARE, kind="Rectangle"))
    assert annotation.tumor.area == 1600
    assert annotation.notes == ("left aside: 1 of type Dot, which has no area",)


def test_corners_go_by_their_order(tmp_path):
    shuffled = polygon([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]])
    shuffled = shuffled.replace('Order="1"', 'Order="x"').replace('Order="2"', 'Order="1"').replace("x", "2")
    assert read(tmp_path, shuffled).tumor.area == 1600


@pytest.mark.parametrize("corners", [0, 1, 2])
def test_a_polygon_of_two_corners_is_left_aside_or_refused_alone(tmp_path, corners):
    annotation = read(tmp_path, polygon(SQUARE), polygon(SQUARE[:corners], name="B"))
    assert annotation.tumor.area == 1600
    assert annotation.notes == (f"left aside: polygon B has {corners} corner{'' if corners == 1 else 's'}",)
    with pytest.raises(InputError, match=r"no tumor polygon that can be used \(left aside: polygon A has"):
        read(tmp_path, polygon(SQUARE[:corners]))


def test_a_polygon_on_a_line_has_no_area(tmp_path):
    annotation = read(tmp_path, polygon(SQUARE), polygon([(0, 0), (10, 10), (20, 20)], name="B"))
    assert annotation.notes == ("left aside: polygon B has no area",)


def test_crossing_outlines_are_repaired_and_reported(tmp_path):
    annotation = read(tmp_path, polygon(BOW_TIE, name="loop"))
    assert annotation.tumor.is_valid
    assert annotation.tumor.area == 800
    assert annotation.notes == ("repaired: polygon loop (self-intersection)",)


def test_what_an_outline_runs_around_twice_is_inside(tmp_path):
    twice = [(10, 10), (40, 10), (40, 40), (20, 40), (20, 20), (60, 20), (60, 60), (10, 60)]
    around = shapely.union_all([shapely.box(10, 10, 40, 40), shapely.box(20, 20, 60, 60), shapely.box(10, 10, 20, 60)])
    assert read(tmp_path, polygon(twice)).tumor.symmetric_difference(around).area == pytest.approx(0, abs=1e-9)


def test_no_annotation_at_all_is_no_tumor(tmp_path):
    annotation = read(tmp_path)
    assert annotation.tumor.is_empty
    assert annotation.notes == ("no polygon: all tissue counts as normal",)


@pytest.mark.parametrize("group", ["_2", "exclusion", "normal", "exclude", "ignore"])
def test_exclusions_alone_are_refused(tmp_path, group):
    with pytest.raises(InputError, match=r"no tumor .*\(only what is cut out of it\); tumor is _0.* label normal"):
        read(tmp_path, polygon(SQUARE, group))


def test_beyond_the_edge_is_cut_off(tmp_path):
    annotation = read(tmp_path, polygon([(80, 10), (110, 10), (110, 30), (80, 30)], name="B"))
    assert annotation.tumor.equals(shapely.box(80, 10, 100, 30))
    assert annotation.notes == ("cut off: polygon B beyond the edge of the slide",)
    outlined = read(tmp_path, polygon([(-0.5, -0.5), (20, -0.5), (20, 20), (-0.5, 20)]))
    assert outlined.tumor.equals(shapely.box(0, 0, 20, 20))
    assert outlined.notes == ()


@pytest.mark.parametrize("group", ["_0", "_2"])
def test_annotation_of_another_slide(tmp_path, group):
    far = polygon([(x + 90, y) for x, y in SQUARE], group, name="B")
    with pytest.raises(InputError, match=r"polygon B at x 100, y 10 is not on node \(100 x 80\): of another slide\?"):
        read(tmp_path, polygon(SQUARE), far)


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(10))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("no xml", "not whole XML"),
        ("<ASAP_Annotations><Annotations>", "not whole XML"),
        ("<ASAP_Annotations><Annotations></ASAP_Annotations>", "not whole XML"),
        ('<?xml version="1.0" encoding="klingon"?><ASAP_Annotations/>', "not whole XML"),
        (f"<!DOCTYPE a [{BOMB}]><ASAP_Annotations>&a9;</ASAP_Annotations>", "entities"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><ASAP_Annotations>&b;</ASAP_Annotations>', "entities"),
        ("<!DOCTYPE html><ASAP_Annotations/>", "entities or a document type"),
        ("<html/>", "begins with <html>, not <ASAP_Annotations>"),
    ],
)
def test_damaged_and_hostile_files_are_one_line(tmp_path, text, why):
    path = tmp_path / "node.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"node\.xml: .*{why}") as stop:
        read_annotation(path, a_slide())
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize("bad", ['X="nan"', 'X="inf"', 'X="1e999"', 'X="-1e12"', 'X=""', 'X="1,5"', 'Z="1"'])
def test_a_corner_that_is_no_number_is_named(tmp_path, bad):
    with pytest.raises(InputError, match=r"a corner of 'A' is .*not a place"):
        read(tmp_path, polygon(SQUARE).replace('X="50"', bad, 1))


def test_other_files(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read \(No such file"):
        read_annotation(tmp_path / "a.xml", a_slide())
    with pytest.raises(InputError, match="no kind of annotation; give ASAP XML"):
        read_annotation(tmp_path / "a.txt", a_slide())
    (tmp_path / "b.xml").mkdir()
    with pytest.raises(InputError, match=r"b\.xml: the annotation cannot be read"):
        read_annotation(tmp_path / "b.xml", a_slide())


def test_files_too_large_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "a.xml"
    with open(path, "wb") as file:
        file.truncate(2**30)
    with pytest.raises(InputError, match="1024 MiB are too much"):
        read_annotation(path, a_slide())


def test_a_missing_library_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "defusedxml", None)
    with pytest.raises(InputError, match=r'defusedxml, which is missing: pip install "mta\[slides\]"'):
        read(tmp_path, polygon(SQUARE))
