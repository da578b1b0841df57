"""A whole store: blocks, processes, masks or a segmenter."""

import cv2
import numpy as np
import pandas as pd
import pytest

from data_prep.concepts import RANDOM, UNITS, measure, measure_many, random_concept
from data_prep.concepts.job import BATCH, MASKS, Job, measure_store
from data_prep.errors import InputError
from data_prep.store import KEY, StoreWriter, make_rows, open_concepts, open_patches, write_store
from data_prep.synthetic import CONCEPTS, SyntheticSpec, synthesize

SPEC = SyntheticSpec(patches=2 * BATCH + 6, patients=15, size=64, mpp=0.5, seed=4)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("concepts") / "synthetic.h5"
    with StoreWriter(path, (64, 64), CONCEPTS, (64, 64)) as writer:
        for block in synthesize(SPEC):
            writer.append(block.patches, block.rows, block.concepts, block.masks)
    return path


def small(path, count=3, masks=None, **rows):
    values = {"source": "s", "patch_no": range(count), "mpp": 0.5} | rows
    images = np.random.default_rng(0).integers(0, 256, (count, 24, 24, 3)).astype(np.uint8)
    write_store(path, images, make_rows(count, values), masks=masks)
    return str(path)


def test_agrees_with_what_the_store_was_made_with(store):
    table, truth = measure_store(Job(str(store))), open_concepts(store)
    with open_patches(store) as patches:
        assert table.index.equals(pd.MultiIndex.from_frame(patches.rows[KEY]))
    assert list(table) == list(UNITS)
    assert table.attrs["units"] == UNITS
    assert table.attrs["nuclei"] == MASKS
    for name in ("ncount", "narea", "narea_um2"):
        np.testing.assert_allclose(table[name], truth[name], rtol=1e-12)


def test_any_number_of_workers_gives_the_same(store):
    job = Job(str(store), ("ncount", "nuclei_contrast"), seed=3)
    one, two = measure_store(job), measure_store(job, workers=2)
    pd.testing.assert_frame_equal(one, two)
    assert one.attrs == two.attrs


def test_the_control_is_the_one_of_training(store):
    table = measure_store(Job(str(store), (), seed=5))
    assert list(table) == [RANDOM]
    with open_patches(store) as patches:
        np.testing.assert_array_equal(table[RANDOM], random_concept(patches.rows, 5))


def test_the_store_is_read_block_by_block(store):
    seen = []

    def watched(starts):
        for start in starts:
            seen.append(start)
            yield start

    measure_store(Job(str(store), ("colorfulness",)), progress=watched)
    assert seen == [0, BATCH, 2 * BATCH]


def test_pannukes_masks(tmp_path):
    masks = np.zeros((2, 24, 24, 6), int)
    masks[0, :4, :5, 0], masks[0, 8:12, :5, 3], masks[0, 20:, :2, 3] = 1, 1, 2
    table = measure_store(Job(small(tmp_path / "p.h5", 2, masks), ("ncount", "narea")))
    assert table["ncount"].tolist() == [3, 0]
    np.testing.assert_array_equal(table["narea"], [16, np.nan])


def test_without_masks_the_classical_segmenter(store, tmp_path):
    with open_patches(store) as patches:
        images, rows = patches.read(0, 4), patches.rows.iloc[:4]
    write_store(tmp_path / "bare.h5", images, rows)
    table = measure_store(Job(str(tmp_path / "bare.h5"), ("ncount", "narea_um2")))
    from data_prep.nuclei import make_segmenter

    labels = make_segmenter("classical")(images, rows)
    expected = measure_many(images, labels, rows, ("ncount", "narea_um2"))
    np.testing.assert_array_equal(table, expected)
    assert table.attrs["nuclei"] == "classical"
    chosen = measure_store(Job(str(store), ("ncount",), segmenter="classical"))
    np.testing.assert_array_equal(chosen["ncount"][:4], table["ncount"])


def test_mpp_is_given_to_those_that_do_not_know_theirs(tmp_path):
    masks = np.ones((3, 24, 24), int)
    store = small(tmp_path / "a.h5", masks=masks, mpp=[0.5, np.nan, 1])
    np.testing.assert_array_equal(measure_store(Job(store, ("narea_um2",)))["narea_um2"], [144, np.nan, 576])
    given = measure_store(Job(store, ("narea_um2",), mpp=0.25))
    np.testing.assert_array_equal(given["narea_um2"], [144, 36, 576])


def test_concepts_of_color_need_no_nuclei_and_no_mpp(tmp_path):
    table = measure_store(Job(small(tmp_path / "a.h5", mpp=np.nan), ("colorfulness", "full_contrast")))
    assert table.notna().all(axis=None)
    assert table.attrs["nuclei"] == ""
    with pytest.raises(InputError, match="3 of 3 patches, the first s  #0, have no mpp; say it with --mpp"):
        measure_store(Job(small(tmp_path / "a.h5", mpp=np.nan), ("ncount",)))


def test_several_files(tmp_path):
    masks = np.ones((3, 24, 24), int)
    a, b = small(tmp_path / "a.h5", masks=masks), small(tmp_path / "b.h5", masks=masks, source="t")
    assert len(measure_store(Job(f"a={a},b={b}", ("ncount",)))) == 6
    bare = small(tmp_path / "c.h5", source="u")
    with pytest.raises(InputError, match=r"c.h5: has no masks, while other files have"):
        measure_store(Job(f"a={a},c={bare}", ("ncount",)))
    assert len(measure_store(Job(f"a={a},c={bare}", ("ncount",), "classical"))) == 6


def test_two_patches_of_one_name(tmp_path):
    with pytest.raises(InputError, match=r"a.h5: two patches are called s e #7, so that nothing tells"):
        measure_store(Job(small(tmp_path / "a.h5", entry="e", patch_no=7), ("colorfulness",)))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugin_names_the_patch_it_fails_on(store, tmp_path, workers):
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from pathlib import Path\nfrom data_prep.concepts import register\n"
        "@register('late', 'px', 'fails on a block in the middle')\n"
        "def late(image, labels, mpp):\n"
        f"    return 'much' if image.tobytes() == Path({str(tmp_path / 'bad')!r}).read_bytes() else 1.0\n"
    )
    with open_patches(store) as patches:
        (tmp_path / "bad").write_bytes(patches[40].tobytes())
        row = patches.rows.iloc[40]
    with pytest.raises(InputError) as caught:
        measure_store(Job(str(store), ("late",), plugin=plugin), workers)
    where = f"patch synthetic {row['entry']} #{row['patch_no']}"
    assert (
        str(caught.value) == f"{where}: the concept late gave 'much'; it must be one finite number, or NaN for absent"
    )
    (tmp_path / "bad").write_bytes(b"")
    table = measure_store(Job(str(store), ("late", "ncount"), plugin=plugin), workers)
    assert (table["late"] == 1).all()
    assert table.attrs["units"]["late"] == "px"


def pannuke_mask(path):
    """PanNuke's layout (h, w, 6) of a map of classes, 6 a nucleus of unknown class; nuclei are 4-connected."""
    classes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    mask = np.zeros((*classes.shape, 6), np.int32)
    for channel in range(5):
        mask[..., channel] = cv2.connectedComponents((classes == channel).astype(np.uint8), connectivity=4)[1]
    unknown = cv2.connectedComponents((classes == 6).astype(np.uint8), connectivity=4)[1]
    mask[..., 0] += np.where(unknown > 0, unknown + mask[..., 0].max(), 0)
    return mask


def test_pannukes_truth(shared):
    """Nuclei and mean area of real masks are those of their table, which leaves out specks of the unknown class."""
    folder = shared / "data" / "pannuke"
    table = pd.read_csv(folder / "labels.csv").iloc[::4].reset_index(drop=True)
    blank = np.zeros((256, 256, 3), np.uint8)
    masks = [pannuke_mask(folder / "masks" / f"{name}.png") for name in table["name"]]
    found = pd.DataFrame([measure(blank, mask, 0.25, ("ncount", "narea")) for mask in masks])
    sound = table["mask_status"] == "ok"
    assert sound.sum() > 80
    np.testing.assert_array_equal(found["ncount"][sound], table["n_components"][sound])
    np.testing.assert_allclose(found["narea"][sound], table["mean_area_px"][sound], atol=0.051)
    assert (found["ncount"] - table["n_components"]).between(0, 2).all()
