"""Records on disk: what is read is what was written, or is said not to be there."""

import numpy as np
import pytest

from mta.data.features.file import FeatureFile

SHAPES = [(2, 3), (5,)]
COUNT = 40


def tensors(entries, seed=0):
    generator = np.random.default_rng(seed)
    every = [generator.normal(size=(COUNT, *shape)).astype("float32") for shape in SHAPES]
    return [one[entries] for one in every]


def make(folder, dtype="float32"):
    return FeatureFile(folder, COUNT, SHAPES, dtype)


def assert_read(file, entries, good):
    found, whole = file.read(np.array(entries))
    np.testing.assert_array_equal(whole, good)
    for mine, true in zip(found, tensors(np.array(entries)), strict=True):
        np.testing.assert_array_equal(mine[whole], true[whole])
        assert not mine[~whole].any()


@pytest.fixture
def filled(tmp_path):
    """A folder with the records 3, 20 and 21."""
    file = make(tmp_path)
    entries = np.array([20, 3, 21])
    file.write(entries, tensors(entries))
    file.flush()
    file.close()
    return tmp_path


def test_entries_come_back_in_any_order_and_the_others_are_not_there(filled):
    file = make(filled)
    np.testing.assert_array_equal(file.present(np.arange(COUNT)), np.isin(np.arange(COUNT), [3, 20, 21]))
    assert_read(file, [21, 0, 3, 20, 3], [True, False, True, True, True])


def test_disk_is_taken_only_for_what_was_written(tmp_path):
    file = FeatureFile(tmp_path, 100_000, [(1000,)], "float32")
    file.write(np.array([99_999]), [np.ones((1, 1000), "float32")])
    file.flush()
    stat = (tmp_path / "features.bin").stat()
    assert stat.st_size == 400_000_000
    assert stat.st_blocks * 512 < 100_000


@pytest.mark.parametrize("place", [0, 5, 43])
def test_one_changed_byte_loses_its_record_alone(filled, place):
    with open(filled / "features.bin", "r+b") as file:
        file.seek(20 * 44 + place)
        byte = file.read(1)[0]
        file.seek(20 * 44 + place)
        file.write(bytes([byte ^ 1]))
    file = make(filled)
    assert_read(file, [3, 20, 21], [True, False, True])
    np.testing.assert_array_equal(file.present(np.array([3, 20, 21])), [True, False, True])


@pytest.mark.parametrize("left", [0, 3 * 44, 20 * 44, 21 * 44 + 43])
def test_a_file_cut_short_has_lost_its_end(filled, left):
    with open(filled / "features.bin", "r+b") as file:
        file.truncate(left)
    entries = np.array([3, 20, 21])
    file = make(filled)
    kept = (entries + 1) * 44 <= left
    np.testing.assert_array_equal(file.present(entries), kept)
    assert_read(file, entries, kept)


@pytest.mark.parametrize("left", [0, 8 * 20, 8 * 21 + 3])
def test_marks_cut_short_lose_records_not_numbers(filled, left):
    with open(filled / "marks.bin", "r+b") as file:
        file.truncate(left)
    file = make(filled)
    assert_read(file, [3, 20, 21], [left > 3 * 8, left > 20 * 8, False])


def test_marks_of_another_record_do_not_vouch(filled):
    marks = np.fromfile(filled / "marks.bin", np.uint64)
    marks[[3, 20]] = marks[[20, 3]]
    marks[30] = marks[21]
    marks.tofile(filled / "marks.bin")
    assert_read(make(filled), [3, 20, 21, 30], [False, False, True, False])


def test_half_precision_takes_half_the_room_and_is_near(tmp_path):
    file, entries = make(tmp_path, "float16"), np.arange(COUNT)
    file.write(entries, tensors(entries))
    assert file.record_bytes == 22
    found, good = file.read(entries)
    assert good.all()
    for mine, true in zip(found, tensors(entries), strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, true.astype("float16").astype("float32"))


def test_a_record_is_written_before_its_mark(tmp_path, monkeypatch):
    """A disk that fills up in the middle leaves the records before it and no half one."""
    import os

    written, real = [], os.pwrite

    def full(handle, data, place):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(place)
        return real(handle, data, place)

    monkeypatch.setattr(os, "pwrite", full)
    file, entries = make(tmp_path), np.array([4, 5, 6, 7])
    with pytest.raises(OSError, match="space"):
        file.write(entries, tensors(entries))
    assert_read(file, entries, [True, True, False, False])
