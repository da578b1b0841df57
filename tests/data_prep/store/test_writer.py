import resource
import subprocess
import sys
import time
import zlib

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.store import StoreWriter, make_rows, open_concepts, open_patches, write_store
from tests.data_prep.store.samples import pixels


def _rows(count, **values):
    return make_rows(count, {"patch_no": np.arange(count), **values})


def test_what_is_written_is_read(tmp_path):
    rows = _rows(70, slide=[f"é{i}" for i in range(70)], centre="2", label=1, x=5, mpp=0.25, role="train")
    concepts = pd.DataFrame({"ncount": np.arange(70.0), "narea": np.nan})
    concepts.attrs["units"] = {"ncount": "nuclei", "narea": "px"}
    masks = np.arange(70 * 64, dtype=np.int32).reshape(70, 8, 8)
    write_store(tmp_path / "a.h5", pixels(70), rows, concepts, masks)
    with open_patches(tmp_path / "a.h5") as patches:
        pd.testing.assert_frame_equal(patches.rows, rows)
        np.testing.assert_array_equal(patches.read(0, 100), pixels(70))
        np.testing.assert_array_equal(patches.read_masks(30, 35), masks[30:35])
    read = open_concepts(tmp_path / "a.h5")
    np.testing.assert_array_equal(read, concepts[sorted(concepts)])
    assert read.attrs["units"] == concepts.attrs["units"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["patches"].chunks == (32, 8, 8, 3)
        assert file["patches"].compression is None
        assert dict(file.attrs) == {"format": b"mta-patches", "format_version": 2, "complete": True}
        assert file["concepts/narea"].attrs["units"] == b"px"
        assert file["checksums"][33] == zlib.crc32(pixels(70)[33].tobytes())


@settings(max_examples=20, deadline=None)
@given(blocks=st.lists(st.integers(0, 40), min_size=1, max_size=5).filter(any), seed=st.integers(0, 9), data=st.data())
def test_blocks_of_any_size_hold_every_row_once(tmp_path_factory, blocks, seed, data):
    path = tmp_path_factory.mktemp("w") / "a.h5"
    total, done = sum(blocks), 0
    images, rows = pixels(total, 4, seed), _rows(total)
    with StoreWriter(path, (4, 4), {"c": "px"}) as writer:
        for size in blocks:
            span = slice(done, done + size)
            writer.append(images[span], rows.iloc[span], {"c": np.arange(done, done + size)})
            done += size
    patches = open_patches(path)
    assert patches.rows["patch_no"].tolist() == list(range(total))
    wanted = data.draw(st.lists(st.integers(0, total - 1), max_size=50))
    np.testing.assert_array_equal(patches.take(wanted), images[wanted])
    np.testing.assert_array_equal(open_concepts(path)["c"], np.arange(total))


def test_equal_stores_are_equal_files_whenever_they_are_made(tmp_path):
    made = []
    for second in range(2):
        time.sleep(1.1 * second)
        with StoreWriter(tmp_path / "a.h5", (8, 8), {"c": "px"}, (8, 8), attributes={"stain": "{}"}) as writer:
            writer.append(pixels(3), _rows(3), {"c": np.ones(3)}, np.ones((3, 8, 8), int))
        made.append((tmp_path / "a.h5").read_bytes())
    assert made[0] == made[1]


def test_indices_out_of_range(tmp_path):
    write_store(tmp_path / "a.h5", pixels(3), _rows(3))
    patches = open_patches(tmp_path / "a.h5")
    np.testing.assert_array_equal(patches[-1], pixels(3)[2])
    assert patches.read(2, 9).shape == (1, 8, 8, 3)
    assert patches.take([]).shape == (0, 8, 8, 3)
    for bad in (
        lambda: patches[3],
        lambda: patches.take([0, 3]),
        lambda: patches.take([-1]),
        lambda: patches.read(2, 1),
    ):
        with pytest.raises(IndexError):
            bad()
    with pytest.raises(InputError, match="no masks; segment"):
        patches.read_masks(0, 1)


def test_a_failure_keeps_the_old_store_and_leaves_nothing_else(tmp_path):
    write_store(tmp_path / "a.h5", pixels(2), _rows(2))
    with pytest.raises(ZeroDivisionError), StoreWriter(tmp_path / "a.h5", (8, 8)) as writer:
        writer.append(pixels(1), _rows(1))
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    assert len(open_patches(tmp_path / "a.h5")) == 2


def test_wrong_blocks_are_refused(tmp_path):
    def write(**changes):
        block = {"patches": pixels(2), "rows": _rows(2)} | changes
        with StoreWriter(tmp_path / "a.h5", (8, 8), {"c": ""}) as writer:
            writer.append(**block)

    for changes, message in (
        ({"patches": pixels(3)}, "expected uint8"),
        ({"patches": pixels(2).astype(float)}, "expected uint8"),
        ({"concepts": {"d": np.zeros(2)}}, "concepts d were not announced"),
        ({"masks": np.zeros((2, 8, 8), int)}, "masks are"),
        ({"rows": pd.DataFrame({"slidename": ["a", "b"]})}, "unknown row columns slidename"),
    ):
        with pytest.raises(InputError, match=message):
            write(**changes)
    for labels in ([70000, 1], [-3, 1]):
        masks = np.ones((2, 8, 8), int) * np.reshape(labels, (2, 1, 1))
        with pytest.raises(InputError, match="number nuclei from 1 to 65535"):
            write_store(tmp_path / "a.h5", pixels(2), _rows(2), masks=masks)
    with pytest.raises(InputError, match="not a single patch"), StoreWriter(tmp_path / "a.h5", (8, 8)):
        pass
    assert list(tmp_path.iterdir()) == []


_LIMITED = """
import resource, sys
import numpy as np
from data_prep.errors import InputError
from data_prep.store import StoreWriter, make_rows
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with StoreWriter(sys.argv[1], (96, 96), {"c": ""}, (96, 96)) as writer:
        for _ in range(40):
            block = np.random.default_rng(0).integers(1, 255, (50, 96, 96, 3), dtype=np.uint8)
            writer.append(block, make_rows(50), {"c": np.zeros(50)}, block[..., 0].astype(int))
except InputError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize("limit", [100_000, 1_500_000, 5_000_000, 20_000_000])
def test_a_file_size_limit_is_one_line_and_leaves_nothing(tmp_path, limit):
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path / "a.h5"), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "a.h5: could not be written: the file would be larger than this system allows" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != limit
