import pytest

from data_prep.errors import InputError
from mta.studies.reading import read_mapping, require_name, require_one_of


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("rows:\n  mta: {preset: mta}\n  mta: {preset: baseline}\n")
    with pytest.raises(InputError, match="line 3: mta stands twice"):
        read_mapping(path)


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "1: 2\n", "a: !!python/object:os.system {}\n", "? [a]\n: b\n"])
def test_what_is_no_mapping_of_names_is_refused(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        read_mapping(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="not readable"):
        read_mapping(tmp_path / "none.yaml")


def test_the_nearest_names_are_offered():
    with pytest.raises(InputError, match=r"unknown row 'mat'; did you mean mta\?"):
        require_one_of("mat", ["baseline", "mta"], "row")
    with pytest.raises(InputError, match="there is baseline, mta"):
        require_one_of("zzz", ["baseline", "mta"], "row")
    require_one_of("mta", ["mta"], "row")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "-a", ".a", "a.", "a b", "ä", "a" * 65, 1, None])
def test_names_that_are_no_folders(name):
    with pytest.raises(InputError, match="names become folders"):
        require_name(name)


@pytest.mark.parametrize("name", ["a", "ncount+domain", "lr-1e.3", "9"])
def test_names_that_are(name):
    require_name(name)
