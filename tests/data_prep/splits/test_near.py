import io

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from data_prep.splits import near
from data_prep.splits.hamming import close_pairs
from data_prep.splits.near import near_duplicates, search
from data_prep.splits.phash import Fingerprints, fingerprints, views
from data_prep.store import make_rows, open_patches, write_store


def textures(count, side=96, seed=0):
    """Smooth random color textures (count, side, side, 3)."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (count, 12, 12, 3), dtype=np.uint8)
    return np.stack([cv2.resize(patch, (side, side), interpolation=cv2.INTER_CUBIC) for patch in coarse])


def jittered(patch):
    """`patch` after JPEG of quality 80, 5 % brighter."""
    file = io.BytesIO()
    Image.fromarray(patch).save(file, "JPEG", quality=80)
    return (np.asarray(Image.open(file)) * 1.05).clip(0, 255).astype(np.uint8)


def as_imagehash(patches):
    bits = [imagehash.phash(Image.fromarray(patch)).hash.ravel() for patch in patches]
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def test_hashes_are_those_of_imagehash():
    patches = textures(200)
    np.testing.assert_array_equal(fingerprints(patches).hashes[:, 0], as_imagehash(patches))


def test_hashes_of_real_patches_are_those_of_imagehash(shared):
    with open_patches(shared / "data" / "camelyon" / "cam17_patches.hdf5") as store:
        patches = store.read(0, 20)
    np.testing.assert_array_equal(fingerprints(patches).hashes[:, 0], as_imagehash(patches))


@pytest.mark.parametrize("view", range(8))
def test_the_hash_of_a_view_is_that_of_the_turned_patch(view):
    patches = textures(60)
    turned = np.stack([views(patches[..., channel])[:, view] for channel in range(3)], axis=-1)
    bits = np.bitwise_count(fingerprints(patches).hashes[:, view] ^ fingerprints(turned).hashes[:, 0])
    assert bits.max() <= 2  # Pillow rounds between its two passes, which come in the other order
    assert (bits == 0).mean() > 0.8


@pytest.mark.parametrize("distance", [0, 3, 6, 10])
def test_close_pairs_are_those_that_brute_force_finds(distance):
    generator = np.random.default_rng(distance)
    targets = generator.integers(0, 2**64, 400, dtype=np.uint64)
    flips = generator.random((400, 64)) < 0.12
    queries = targets ^ np.packbits(flips, axis=1).view(">u8").ravel().astype(np.uint64)
    bits = np.bitwise_count(queries[:, None] ^ targets)
    expected = {(q, t, bits[q, t]) for q, t in zip(*np.nonzero(bits <= distance), strict=True)}
    assert len(expected) > (0 if distance else -1)
    found = np.concatenate(list(close_pairs(queries, targets, distance)))
    assert {tuple(line) for line in found} == expected


def test_turned_and_jittered_copies_are_found_and_nothing_else(tmp_path):
    patches = textures(60)
    copies = [jittered(np.rot90(patch, turn)) for turn, patch in enumerate(patches[:8])]
    blank = np.full((4, 96, 96, 3), 240, np.uint8)
    write_store(tmp_path / "a.h5", np.concatenate([patches, copies, blank]), make_rows(72))
    roles = np.array(["train"] * 60 + ["internal_test"] * 8 + ["train", "internal_test"] * 2)
    with open_patches(tmp_path / "a.h5") as store:
        found = near_duplicates(store, [roles])
        unused = near_duplicates(store, [np.where(roles == "train", "", roles)])
    assert found.pairs[["first", "second"]].to_numpy().tolist() == [[row, 60 + row] for row in range(8)]
    assert found.pairs["distance"].max() <= 4
    assert found.pairs["alike"].min() > 0.98
    assert (found.compared, found.flat, found.cut) == (68, 4, False)
    assert (len(unused.pairs), unused.compared, unused.flat) == (0, 8, 2)


def test_a_pair_counts_when_any_table_parts_it():
    tables = [np.array(["train", "train", "train", ""]), np.array(["train", "train", "validation", ""])]
    groups = near._groups(tables)
    assert groups[3] == -1
    pairs, _ = search(fingerprints(np.repeat(textures(1), 3, axis=0)), groups[:3])
    assert set(map(tuple, pairs[["first", "second"]].to_numpy())) == {(0, 2), (1, 2)}


def test_the_search_stops_at_too_many_pairs(monkeypatch):
    monkeypatch.setattr(near, "MOST_PAIRS", 10)
    prints = fingerprints(np.repeat(textures(1), 12, axis=0))
    pairs, cut = search(prints, np.arange(12) % 2)
    assert cut
    assert len(pairs) > 10


def test_many_equal_patches_cost_no_more_memory(monkeypatch):
    prints = Fingerprints(*(np.repeat(values, 200, axis=0) for values in fingerprints(textures(1))))
    standardized, most = near._standardized, []
    monkeypatch.setattr(near, "_standardized", lambda thumbs: most.append(len(thumbs)) or standardized(thumbs))
    whole = search(prints, np.arange(200) % 2)
    assert max(most) > 1000
    most.clear()
    monkeypatch.setattr(near, "_PIECE", 1000)
    pieces = search(prints, np.arange(200) % 2)
    assert max(most) <= 1000
    assert len(pieces[0]) == 100 * 100
    assert pieces[0].equals(whole[0])


def test_nothing_to_compare():
    empty = Fingerprints(np.empty((0, 8), np.uint64), np.empty((0, 16, 16), np.uint8))
    pairs, cut = search(empty, np.empty(0, int))
    assert (len(pairs), cut) == (0, False)


def test_real_repeats_of_camelyon_are_found(shared):
    with open_patches(shared / "data" / "camelyon" / "cam17_patches.hdf5") as store:
        roles = np.where(store.rows["centre"] == "0", "train", "external_test")
        found = near_duplicates(store, [roles])
    assert found.pairs["distance"].tolist() == [0] * 10
    assert set(store.rows["centre"][found.pairs["first"]]) == {"0"}
    with open_patches(shared / "data" / "camelyon" / "cam16_patches.hdf5") as store:
        found = near_duplicates(store, [np.array(["train"] * 9 + ["validation"])])
    assert found.pairs[["first", "second"]].to_numpy().tolist() == [[8, 9]]
