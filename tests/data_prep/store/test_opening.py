import h5py
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.store import ROW_COLUMNS, make_rows, open_patches, write_store
from tests.data_prep.store.samples import CAM16, CAM17, camelyon, demo, pannuke, pixels


def test_camelyon_rows_and_channels(tmp_path):
    with open_patches(camelyon(tmp_path / "a.h5")) as patches:
        rows = patches.rows
        assert tuple(rows) == ROW_COLUMNS
        assert len(patches) == 8
        assert patches.size == (8, 8)
        # Paths in ascending order: "normal/…" comes first.
        assert rows.loc[0].to_dict() | {"mpp": None} == {
            "source": "a",
            "entry": f"{CAM17}/patches",
            "patch_no": 0,
            "patient": "camelyon17_patient055",
            "slide": "camelyon17_patient055_node1",
            "centre": "2",
            "label": 0,
            "x": 200 * 128,
            "y": 10 * 128,
            "mpp": None,
            "role": "",
            "stored_bgr": True,
        }
        assert rows.loc[7, ["slide", "centre", "label", "patch_no"]].tolist() == ["camelyon16_patient042", "5", 1, 2]
        np.testing.assert_array_equal(patches[0], pixels(5, seed=1)[0][..., ::-1])
        np.testing.assert_array_equal(patches.read(5, 8), pixels(3, seed=0)[..., ::-1])


@pytest.mark.parametrize(("channels", "order", "swapped"), [("stored", "auto", False), ("rgb", "rgb", False)])
def test_channel_order_can_be_said(tmp_path, channels, order, swapped):
    patches = open_patches(camelyon(tmp_path / "a.h5"), channels, order)
    np.testing.assert_array_equal(patches.read(0, 5), pixels(5, seed=1))
    assert patches.rows["stored_bgr"].tolist() == [order == "auto"] * 8


def test_demo_layout_names_its_own_sources(tmp_path):
    patches = open_patches(demo(tmp_path / "demo.h5"))
    assert patches.rows[["source", "entry", "patch_no"]].to_numpy().tolist() == [
        ["all500", f"{CAM17}/patches", 2],
        ["all500", f"{CAM17}/patches", 10],
        ["cam16", f"{CAM16}/patches", 7],
    ]
    np.testing.assert_array_equal(patches.take([2, 1]), np.concatenate([pixels(1, seed=s) for s in (7, 10)])[..., ::-1])


def test_pannuke_is_rgb_float_with_masks(tmp_path):
    patches = open_patches(f"pannuke={pannuke(tmp_path / 'p.h5')}")
    assert patches.rows["centre"].tolist() == ["6"] * 3
    assert patches.rows["label"].tolist() == [1, 1, 0]
    assert patches.rows["entry"][1] == "pannuke/fold1/75/75/tumor/center/patch"
    assert not patches.rows["stored_bgr"].any()
    np.testing.assert_array_equal(patches.read(0, 3), np.concatenate([pixels(1, seed=s) for s in range(3)]))
    assert patches.mask_shape == (8, 8, 6)
    np.testing.assert_array_equal(
        patches.read_masks(1, 2), np.random.default_rng(1).integers(0, 400, (1, 8, 8, 6)).astype(np.uint16)
    )


def test_dense_layout(tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["normal/l5/c0/p004/n4/0/patches"] = pixels(2)
        file["normal/l5/c0/p004/n4/0/locations"] = np.array([[1, 2], [3, 4]])
    rows = open_patches(tmp_path / "d.h5").rows
    assert rows[["slide", "x", "y"]].to_numpy().tolist() == [
        ["camelyon17_patient004_node4", 64, 32],
        ["camelyon17_patient004_node4", 128, 96],
    ]


def test_several_files_under_names_mix_channel_orders(tmp_path):
    spec = f"cam={camelyon(tmp_path / 'a.h5')},pannuke={pannuke(tmp_path / 'p.h5')}"
    patches = open_patches(spec)
    assert patches.rows["source"].tolist() == ["cam"] * 8 + ["pannuke"] * 3
    block = patches.read(6, 11)
    np.testing.assert_array_equal(block[:2], pixels(3, seed=0)[1:, ..., ::-1])
    np.testing.assert_array_equal(block[2:], np.concatenate([pixels(1, seed=s) for s in range(3)]))
    np.testing.assert_array_equal(patches.take([10, 0, 10]), np.stack([patches[10], patches[0], patches[10]]))
    assert patches.read_masks(0, 9)[:8].max() == 0
    with pytest.raises(InputError, match="different names"):
        open_patches(f"a={tmp_path / 'a.h5'},a={tmp_path / 'p.h5'}")


def _foreign(path):
    path.write_text("path,label\n")


def _empty(path):
    h5py.File(path, "w").close()


def _truncated(path):
    camelyon(path)
    path.write_bytes(path.read_bytes()[:-500])


def _wrong_type(path):
    with h5py.File(path, "w") as file:
        file[f"{CAM17}/patches"] = pixels(2).astype(np.int64)


def _gray(path):
    with h5py.File(path, "w") as file:
        file[f"{CAM17}/patches"] = pixels(2)[..., 0]


def _out_of_step(path):
    camelyon(path)
    with h5py.File(path, "r+") as file:
        del file[f"{CAM17}/locations"]
        file[f"{CAM17}/locations"] = np.zeros((4, 2), int)


def _mixed(path):
    camelyon(path, groups=((CAM16, 2),))
    with h5py.File(path, "r+") as file:
        file[f"{CAM17}/patches"] = pixels(1, size=9)


def _half_written(path):
    write_store(path, pixels(2), make_rows(2))
    with h5py.File(path, "r+") as file:
        file.attrs["complete"] = False


def _no_rows(path):
    with h5py.File(path, "w") as file:
        file[f"{CAM17}/patches"] = pixels(0)


def _overwritten(path):
    """Texts of any length, as another program writes them, lie in a heap that starts with GCOL."""
    write_store(path, pixels(2), make_rows(2))
    with h5py.File(path, "r+") as file:
        del file["rows/slide"]
        file["rows/slide"] = ["a", "b"]
    path.write_bytes(path.read_bytes().replace(b"GCOL", b"\0\0\0\0"))


def _missing_column(path):
    write_store(path, pixels(2), make_rows(2))
    with h5py.File(path, "r+") as file:
        del file["rows/slide"]


def _newer(path):
    write_store(path, pixels(2), make_rows(2))
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 99


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: None, "no such file"),
        (_foreign, "not an HDF5 file"),
        (_empty, "no patches in a known layout"),
        (_truncated, "truncated"),
        (_wrong_type, "has the type int64; patches are uint8"),
        (_gray, "patches are n x height x width x 3"),
        (_out_of_step, "beside 5 patches"),
        (_mixed, "mixed sizes: 9x9 in .*8x8 in"),
        (_half_written, "not finished; make it again"),
        (_missing_column, "rows/slide is missing"),
        (_no_rows, "no patches in a known layout"),
        (_overwritten, "the HDF5 file is damaged"),
        (_newer, "format version 99"),
    ],
)
def test_bad_files_are_one_line_naming_the_file(tmp_path, damage, message):
    damage(tmp_path / "bad.h5")
    with pytest.raises(InputError, match=message) as caught:
        open_patches(tmp_path / "bad.h5")
    assert "bad.h5" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tables_and_folders_are_no_patch_files(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\n")
    with pytest.raises(InputError, match=r"t\.csv: a table, not a patch store; convert it first: python -m data_prep"):
        open_patches(tmp_path / "t.csv")
    with pytest.raises(InputError, match=r"is a folder; name a patch file"):
        open_patches(tmp_path)


def test_float_pixels_between_levels_are_refused(tmp_path):
    pannuke(tmp_path / "p.h5", keys=("fold1/3/tumor",))
    with h5py.File(tmp_path / "p.h5", "r+") as file:
        file["pannuke/fold1/3/tumor/center/patch"][0, 0, 0, 0] = 0.5
    with pytest.raises(InputError, match="not whole numbers from 0 to 255"):
        open_patches(tmp_path / "p.h5").read(0, 1)


def test_real_camelyon_patches(shared):
    folder = shared / "data" / "camelyon"
    patches = open_patches(f"cam16={folder / 'cam16_patches.hdf5'},all500={folder / 'cam17_patches.hdf5'}")
    rows = patches.rows
    assert (len(patches), patches.size) == (30, (224, 224))
    assert rows.groupby(["slide", "centre", "label"]).size().to_dict() == {
        ("camelyon16_patient042", "5", 0): 5,
        ("camelyon16_patient042", "5", 1): 5,
        ("camelyon17_patient010_node4", "0", 0): 5,
        ("camelyon17_patient010_node4", "0", 1): 5,
        ("camelyon17_patient030_node4", "1", 0): 5,
        ("camelyon17_patient030_node4", "1", 1): 5,
    }
    np.testing.assert_array_equal(patches.read(10, 15), patches.read(15, 20))
    assert open_patches(folder / "cam17_patches.hdf5", "stored").read(0, 1).mean((0, 1, 2)) == pytest.approx(
        [159.0313, 128.2216, 161.8838], abs=1e-4
    )
