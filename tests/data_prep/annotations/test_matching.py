import pytest

from data_prep.annotations import annotation_for
from data_prep.errors import InputError


def files(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("slide", "name"),
    [
        ("tumor_001.tif", "tumor_001.xml"),
        ("tumor_001.tif", "Tumor_001.xml"),
        ("tumor_001.tif", "Tumor_001_Mask.tif"),
        ("Tumor_001.tif", "tumor_001_mask.png"),
        ("a.b.svs", "a.b.geojson"),
        ("a.svs", "a.JSON"),
        ("a.svs", "a.png"),
        ("a.tif", "a.tif"),
    ],
)
def test_an_annotation_has_the_name_of_its_slide(tmp_path, slide, name):
    folder = files(tmp_path / "annotations", name, "other.xml", "notes.txt")
    assert annotation_for(tmp_path / slide, folder) == folder / name


def test_every_slide_gets_its_own(tmp_path):
    """B-26: the original pairs each slide of a centre with every annotation in turn, and the last one stays."""
    names = [f"patient_{patient:03d}_node_{node}" for patient in (4, 10, 14) for node in (0, 1, 4)]
    folder = files(tmp_path / "xml", *(f"{name}.xml" for name in names))
    assert [annotation_for(f"centre_0/{name}.tif", folder) for name in names] == [folder / f"{n}.xml" for n in names]


@pytest.mark.parametrize(
    "slide", ["patient_004_node_40.tif", "patient_004_node_.tif", "004.tif", "xpatient_004_node_4.tif"]
)
def test_part_of_a_name_is_not_enough(tmp_path, slide):
    assert annotation_for(slide, files(tmp_path / "a", "patient_004_node_4.xml")) is None


def test_a_slide_is_not_its_own_mask(tmp_path):
    folder = files(tmp_path / "all", "a.tif", "a_mask.tif", "b.png", "b_mask_old.png")
    assert annotation_for(folder / "a.tif", folder) == folder / "a_mask.tif"
    assert annotation_for(folder / "b.png", folder) is None


def test_two_for_one_slide_are_refused(tmp_path):
    folder = files(tmp_path / "a", "tumor_001.xml", "Tumor_001_Mask.tif")
    with pytest.raises(InputError, match=r"Tumor_001_Mask\.tif and tumor_001\.xml are all named after slide tumor_001"):
        annotation_for("tumor_001.tif", folder)


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"no folder of annotations \(No such file"):
        annotation_for("a.tif", tmp_path / "none")
    with pytest.raises(InputError, match=r"no folder of annotations \(Not a directory"):
        annotation_for("a.tif", files(tmp_path / "b", "c.txt") / "c.txt")
