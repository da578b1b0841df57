import pytest

from data_prep.cohorts import SlideEntry, read_slides
from data_prep.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for name in ("slides/a.svs", "slides/b.svs", "deep/a.svs", "xml/a.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def table(folder, text):
    path = folder / "slides.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_columns_of_the_issue(folder):
    path = table(
        folder, "slide,patient,centre,annotation,mpp\nslides/a.svs,p1,Basel,xml/a.xml,0.25\nslides/b.svs, NA ,,,\n"
    )
    assert read_slides(path) == [
        SlideEntry(folder / "slides/a.svs", "a", "p1", "Basel", folder / "xml/a.xml", 0.25),
        SlideEntry(folder / "slides/b.svs", "b", "NA"),
    ]


def test_only_slide_is_required_and_names_tell_equal_files_apart(folder):
    path = table(folder, "label,role,name,slide\nnormal,train,first,slides/a.svs\ntumor,,second,deep/a.svs\n")
    assert read_slides(str(path)) == [
        SlideEntry(folder / "slides/a.svs", "first", label="normal", role="train"),
        SlideEntry(folder / "deep/a.svs", "second", label="tumor"),
    ]


def test_absolute_paths_are_kept(folder):
    assert read_slides(table(folder, f"slide\n{folder}/slides/a.svs\n"))[0].path == folder / "slides/a.svs"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("patient\np1\n", "no column slide; a table of slides has slide, name, patient"),
        ("slide,center\nslides/a.svs,1\n", "column 'center' is unknown"),
        ("slide\n", "no line below its header"),
        ("slide\nslides/c.svs\n", r"line 2: slide 'slides/c\.svs' is not there .*relative to the table"),
        ("slide,mpp\n,0.25\n", "line 2: slide '' is not there"),
        ("slide,annotation\nslides/a.svs,a.xml\n", r"line 2: annotation 'a\.xml' is not there"),
        ("slide,mpp\nslides/a.svs,20x\n", "line 2: mpp is '20x', not a number"),
        ("slide,label\nslides/a.svs,benign\n", "line 2: label is 'benign', not normal, tumor or nothing"),
        ("slide,role\nslides/a.svs,test\n", "line 2: role is 'test', not one of train, validation"),
        (
            "slide,label,annotation\nslides/a.svs,normal,xml/a.xml\n",
            "line 2: a slide that is wholly normal has no annot",
        ),
        ("slide\nslides/a.svs\ndeep/a.svs\n", "two slides called 'a'"),
        ("slide\nslides/a.svs\nslides/a.svs\n", "two slides called 'a'"),
        ("slide,slide\na,b\n", "several columns are called slide"),
    ],
)
def test_bad_tables_are_one_line(folder, text, why):
    with pytest.raises(InputError, match=why) as stop:
        read_slides(table(folder, text))
    assert "\n" not in str(stop.value)


def test_a_missing_table(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_slides(tmp_path / "slides.csv")
