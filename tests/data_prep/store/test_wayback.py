import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.store import make_rows, open_concepts, open_patches, write_store
from data_prep.store.convert import store_patches
from data_prep.store.part import Part
from data_prep.store.wayback import store_original
from tests.data_prep.store.samples import CAM16, CAM17, camelyon, demo, pannuke, put_values


def contents(path):
    """Every dataset of a file: name -> (dtype, shape, bytes)."""
    found = {}

    def visit(name, node):
        if isinstance(node, h5py.Dataset):
            found[name] = (node.dtype.str, node.shape, node[()].tobytes())

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def there(spec, flat):
    with open_patches(spec) as patches:
        store_patches(patches, open_concepts(spec), flat)
    return flat


def back(flat, out, only=""):
    with open_patches(flat, "stored") as patches:
        store_original(patches, out, only)
    return out


@pytest.mark.parametrize("make", [camelyon, demo, pannuke], ids=["camelyon", "demo", "pannuke"])
def test_there_and_back_is_the_same_to_the_last_byte(tmp_path, make):
    original = make(tmp_path / "original.h5")
    flat = there(original, tmp_path / "flat.h5")
    assert contents(back(flat, tmp_path / "back.h5")) == contents(original)


_GROUPS = st.lists(
    st.tuples(
        st.sampled_from(["tumor", "normal"]),
        st.integers(0, 9),
        st.integers(0, 4),
        st.integers(0, 150),
        st.none() | st.integers(0, 5),
        st.integers(0, 6),
        st.sampled_from(["int64", "int32", None]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda group: group[:5],
).filter(lambda groups: any(group[5] for group in groups))


@settings(max_examples=25, deadline=None)
@given(groups=_GROUPS, seed=st.integers(0, 99))
def test_any_hierarchy_comes_back_and_holds_every_row_once(tmp_path_factory, groups, seed):
    folder, random = tmp_path_factory.mktemp("w"), np.random.default_rng(seed)
    with h5py.File(folder / "a.h5", "w") as file:
        for label, level, centre, patient, node, count, dtype in groups:
            tail = f"patient{patient:03d}_Mask.tif" if node is None else f"patient{patient:03d}/node{node}"
            group = f"{label}/level{level}/centre{centre}/{tail}"
            file[f"{group}/patches"] = random.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
            if dtype:
                file[f"{group}/locations"] = random.integers(0, 900, (count, 2)).astype(dtype)
    flat = there(folder / "a.h5", folder / "flat.h5")
    rows = open_patches(flat).rows
    assert len(rows) == sum(group[5] for group in groups)
    assert not rows.duplicated(["source", "entry", "patch_no"]).any()
    assert contents(back(flat, folder / "back.h5")) == contents(folder / "a.h5")


def test_one_source_of_several_comes_back(tmp_path):
    spec = f"cam={camelyon(tmp_path / 'a.h5')},pannuke={pannuke(tmp_path / 'p.h5')}"
    flat = there(spec, tmp_path / "flat.h5")
    with open_patches(flat) as patches, open_patches(spec) as originals:
        np.testing.assert_array_equal(patches.read(0, 99), originals.read(0, 99))
        np.testing.assert_array_equal(patches.read_masks(8, 11), originals.read_masks(8, 11))
    assert contents(back(flat, tmp_path / "b.h5", "cam")) == contents(tmp_path / "a.h5")
    assert contents(back(flat, tmp_path / "q.h5", "pannuke")) == contents(tmp_path / "p.h5")
    with pytest.raises(InputError, match="--only, of cam, pannuke"):
        back(flat, tmp_path / "c.h5")
    with pytest.raises(InputError, match="source 'cat' has no original layout"):
        back(flat, tmp_path / "c.h5", "cat")


def test_patches_without_an_original_or_with_gaps_are_refused(tmp_path):
    write_store(tmp_path / "a.h5", np.zeros((1, 4, 4, 3), np.uint8), make_rows(1))
    with pytest.raises(InputError, match="these patches have no original layout"):
        back(tmp_path / "a.h5", tmp_path / "b.h5")
    flat = there(camelyon(tmp_path / "o.h5", ((CAM16, 3), (CAM17, 2))), tmp_path / "flat.h5")
    with h5py.File(flat, "r+") as file:
        put_values(file, "rows/patch_no", np.array([7, 1, 2, 0, 1]))
    with pytest.raises(InputError, match="has 2 patches but not all from 0 to 7"):
        back(flat, tmp_path / "b.h5")
    assert not (tmp_path / "b.h5").exists()


def test_masks_are_read_in_blocks(tmp_path, monkeypatch):
    masks = np.arange(300 * 16, dtype=np.uint16).reshape(300, 4, 4)
    write_store(tmp_path / "a.h5", np.zeros((300, 4, 4, 3), np.uint8), make_rows(300), masks=masks)
    patches = open_patches(tmp_path / "a.h5")
    reads, read = [], Part.read_masks_into
    monkeypatch.setattr(Part, "read_masks_into", lambda part, out, start: (reads.append(start), read(part, out, start)))
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(patches.take_masks(order), masks[order])
    assert reads == [0]
    np.testing.assert_array_equal(patches.take_masks([299, 0, 299]), masks[[299, 0, 299]])
    assert reads == [0, 0, 299]


def test_a_damaged_origin_table_is_one_line(tmp_path):
    flat = there(camelyon(tmp_path / "o.h5"), tmp_path / "flat.h5")
    with h5py.File(flat, "r+") as file:
        put_values(file, "origin/pixels", ["O,O", "O,O"])
    with pytest.raises(InputError, match="origin table is damaged"):
        back(flat, tmp_path / "b.h5")
    assert not (tmp_path / "b.h5").exists()


def test_real_files_come_back(shared, tmp_path):
    for name in ("cam16_patches.hdf5", "cam17_patches.hdf5"):
        original = shared / "data" / "camelyon" / name
        flat = there(original, tmp_path / f"flat_{name}")
        assert contents(back(flat, tmp_path / name)) == contents(original)
