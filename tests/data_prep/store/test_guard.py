"""Files that would make the reader read other files, and files that run in a circle."""

import h5py
import numpy as np
import pytest

from data_prep.cli.verify import main
from data_prep.errors import InputError
from data_prep.store import make_rows, open_concepts, open_patches, write_store
from data_prep.store.handle import LazyFile, reading
from tests.data_prep.store.samples import CAM17, camelyon, demo, pannuke, pixels


@pytest.fixture
def secret(tmp_path):
    """Another file, which the user may read and the store may not."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = pixels(5)
        file["group/patches"] = pixels(5)
        file["group/locations"] = np.zeros((5, 2), int)
    (tmp_path / "secret.raw").write_bytes(bytes(1000))
    return tmp_path / "secret.h5"


def external(target="/x"):
    def put(file, name, secret):
        file[name] = h5py.ExternalLink(str(secret), target)

    return put


def raw(file, name, secret):
    file.create_dataset(name, (5, 8, 8, 3), "u1", external=[(str(secret.with_suffix(".raw")), 0, 960)])


def virtual(file, name, secret):
    layout = h5py.VirtualLayout((5, 8, 8, 3), "u1")
    layout[:] = h5py.VirtualSource(str(secret), "x", (5, 8, 8, 3))
    file.create_virtual_dataset(name, layout)


def flat(path):
    write_store(path, pixels(5), make_rows(5))
    with h5py.File(path, "r+") as file:
        file["concepts/c"] = np.zeros(5)
    return path


def concept_file(path):
    with h5py.File(path, "w") as file:
        file["all500/e/0/ncount"] = np.array([b"1.0"])
    return path


PLACES = [
    (flat, "patches"),
    (flat, "rows/label"),
    (flat, "rows/slide"),
    (flat, "rows"),
    (flat, "concepts/c"),
    (flat, "masks"),
    (camelyon, f"{CAM17}/patches"),
    (camelyon, f"{CAM17}/locations"),
    (camelyon, CAM17),
    (camelyon, "normal"),
    (demo, f"all500/{CAM17}/patches/2"),
    (pannuke, "pannuke/fold2/1/normal/center/mask"),
    (concept_file, "all500/e/0/ncount"),
    (concept_file, "all500"),
]


@pytest.mark.parametrize("put", [external(), external("/group"), raw, virtual], ids=["link", "group", "raw", "virtual"])
@pytest.mark.parametrize(("make", "name"), PLACES, ids=[f"{make.__name__}:{name[-16:]}" for make, name in PLACES])
def test_nothing_outside_the_file_is_read(tmp_path, capsys, secret, make, name, put):
    path = make(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        if name in file:
            del file[name]
        put(file, name, secret)
    for read in (open_patches, open_concepts):
        with pytest.raises(InputError, match=f"a.h5: {name} points outside this file"):
            read(path)
    with pytest.raises(SystemExit, match="1"):
        main([str(path), "--quiet"])
    assert f"problem: {name} points outside this file" in capsys.readouterr().out


def test_a_dataset_that_changes_after_opening_is_not_read_either(tmp_path, secret):
    path = flat(tmp_path / "a.h5")
    patches = open_patches(path)
    for put in (external(), raw, virtual):
        with h5py.File(path, "r+") as file:
            del file["patches"]
            put(file, "patches", secret)
        with pytest.raises(InputError, match="patches points outside this file"):
            patches.read(0, 1)
        patches.close()
    with h5py.File(path, "r+") as file:
        del file["patches"]
    with pytest.raises(InputError, match="patches is gone"):
        patches.read(0, 1)


def test_links_within_the_file_are_named_and_not_followed(tmp_path):
    path = camelyon(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["normal/level7/centre3"] = h5py.SoftLink("/normal/level7/centre2")
    with pytest.raises(InputError, match="normal/level7/centre3 is a link, not the data itself"):
        open_patches(path)


def test_links_in_a_circle_end(tmp_path):
    path = camelyon(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["normal/level7/again"] = file["normal"]
    assert len(open_patches(path)) == 8
    with h5py.File(path, "r+") as file:
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    with pytest.raises(InputError, match="a is a link"):
        open_patches(path)


def test_a_group_where_a_dataset_belongs_is_named(tmp_path):
    path = camelyon(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file[f"{CAM17}/locations"]
        file.create_group(f"{CAM17}/locations")
    with pytest.raises(InputError, match="locations is a group; expected a dataset"):
        open_patches(path)
    with reading(path) as file, pytest.raises(InputError, match="normal is a group"):
        LazyFile(path).dataset("normal")
