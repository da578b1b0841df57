from pathlib import Path

import pytest

from data_prep.cohorts import SlideEntry, slides_from_paths
from data_prep.cohorts.camelyon import camelyon_entry
from data_prep.errors import InputError


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("name", "slide", "patient", "centre", "label"),
    [
        ("patient_004_node_4.tif", "camelyon17_patient004_node4", "camelyon17_patient004", "0", ""),
        ("patient_010_node_0.tif", "camelyon17_patient010_node0", "camelyon17_patient010", "0", ""),
        ("patient_020_node_2.tif", "camelyon17_patient020_node2", "camelyon17_patient020", "1", ""),
        ("patient_099_node_4.tif", "camelyon17_patient099_node4", "camelyon17_patient099", "4", ""),
        ("patient_120_node_0.tif", "camelyon17_patient120_node0", "camelyon17_patient120", "", ""),
        ("patient_004_node_4_mask.tif", "camelyon17_patient004_node4", "camelyon17_patient004", "0", ""),
        ("tumor_042.tif", "camelyon16_patient042", "camelyon16_patient042", "5", "tumor"),
        ("Tumor_042_Mask.tif", "camelyon16_patient042", "camelyon16_patient042", "5", "tumor"),
        ("tumor_042_mask.tif", "camelyon16_patient042", "camelyon16_patient042", "5", "tumor"),
        ("normal_042.tif", "camelyon16_normal042", "camelyon16_normal042", "5", "normal"),
        ("test_042.tif", "camelyon16_test042", "camelyon16_test042", "5", ""),
    ],
)
def test_camelyon_names(name, slide, patient, centre, label):
    path = Path("anywhere") / name
    assert camelyon_entry(path) == SlideEntry(path, slide, patient, centre, label=label)


def test_names_are_those_of_the_originals_files():
    """A slide cut by us and the same slide in an original HDF5 file count as one patient."""
    from data_prep.store.layouts import locate

    for path, name in (
        ("tumor/level7/centre0/patient004/node4/patches", "patient_004_node_4.tif"),
        ("tumor/level7/centre0/patient042_Mask.tif/patches", "tumor_042.tif"),
    ):
        place, entry = locate(path), camelyon_entry(Path(name))
        assert (place.patient, place.slide, place.centre) == (entry.patient, entry.slide, entry.centre)


@pytest.mark.parametrize(
    "name", ["a.tif", "patient_4_node_4.tif", "patient_004_node_4_old.tif", "tumor_1.tif", "xtumor_001.tif"]
)
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match=r"not named as in Camelyon .*--cohort plain"):
        camelyon_entry(Path(name))


def test_plain_slides_have_their_file_names(tmp_path):
    paths = touch(tmp_path / "slides", "tumor_001.tif", "b.svs")
    folder = tmp_path / "xml"
    (annotation,) = touch(folder, "b.xml")
    assert slides_from_paths(paths, folder) == [
        SlideEntry(paths[0], "tumor_001"),
        SlideEntry(paths[1], "b", annotation=annotation),
    ]
    assert [entry.annotation for entry in slides_from_paths(paths)] == [None, None]


def test_camelyon_slides_get_their_annotations_by_name(tmp_path):
    paths = touch(tmp_path / "slides", "tumor_001.tif", "normal_001.tif", "patient_004_node_4.tif")
    xml, mask = touch(tmp_path / "annotations", "Tumor_001.xml", "patient_004_node_4_mask.tif")
    entries = slides_from_paths([str(path) for path in paths], tmp_path / "annotations", "camelyon")
    assert [entry.annotation for entry in entries] == [xml, None, mask]
    assert [entry.label for entry in entries] == ["tumor", "normal", ""]


def test_an_annotated_normal_slide_is_a_contradiction(tmp_path):
    paths = touch(tmp_path / "slides", "normal_001.tif")
    touch(tmp_path / "annotations", "normal_001.xml")
    with pytest.raises(
        InputError, match=r"normal_001\.xml: normal_001\.tif is wholly normal by its name, yet annotated"
    ):
        slides_from_paths(paths, tmp_path / "annotations", "camelyon")


def test_bad_lists_are_refused(tmp_path):
    one, two = touch(tmp_path / "1", "a.svs") + touch(tmp_path / "2", "a.svs")
    with pytest.raises(InputError, match=r"two slides called 'a'; tell them apart by a column `name`"):
        slides_from_paths([one, two])
    with pytest.raises(InputError, match=r"b\.svs: there is no such slide"):
        slides_from_paths([one, tmp_path / "b.svs"])
    with pytest.raises(InputError, match=r"no cohort rule 'tcga'; take one of plain, camelyon, or a table"):
        slides_from_paths([one], rule="tcga")


def test_a_folder_is_no_slide(tmp_path):
    with pytest.raises(InputError, match=r"is a folder; name the slides in it, as in .*\*\.svs"):
        slides_from_paths([tmp_path])
