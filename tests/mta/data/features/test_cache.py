"""A cache as a whole: computed once, bounded, shared, and never wrong."""

import json
import os
import threading

import numpy as np
import pytest

from data_prep.errors import InputError
from mta.data.features.cache import FeatureCache
from mta.data.features.folder import CacheFolder, default_folder, locked

SHAPES = [[4], [2, 2]]
RECORD = 32


class Counting:
    """Features that tell their entry; `asked` keeps which were computed."""

    def __init__(self):
        self.asked = []

    def any(self, entries):
        self.asked += entries.tolist()
        return features(entries)

    def block(self, entries):
        assert len(set(entries // 32)) == 1
        return self.any(entries)


def features(entries):
    base = np.asarray(entries, "float32")[:, None]
    return [base + np.arange(4, dtype="float32"), (base * np.ones(4, "float32")).reshape(-1, 2, 2)]


def cache(folder, limit=1e9, views=1, rows=100, **key):
    computing = Counting()
    made = FeatureCache(
        CacheFolder(folder, limit), {"shapes": SHAPES, "views": views, "dtype": "float32", **key}, "of", rows, computing
    )
    return made, computing


def assert_right(made, rows, views=0):
    for mine, true in zip(made.take(rows, views), features(rows * made.views + views), strict=True):
        np.testing.assert_array_equal(mine, true)


def test_each_row_is_computed_once_over_all_runs(tmp_path):
    rows = np.array([5, 90, 7])
    made, computing = cache(tmp_path)
    made.fill(rows, quiet=True)
    assert sorted(computing.asked) == [5, 7, 90]
    assert_right(made, rows)
    made.close()
    again, computing = cache(tmp_path)
    again.fill(np.array([90, 5, 8]), quiet=True)
    assert_right(again, np.array([8, 7, 90, 5]))
    assert computing.asked == [8]


def test_rows_that_were_never_filled_are_computed_when_asked_for(tmp_path):
    made, computing = cache(tmp_path)
    made.fill(np.arange(3), quiet=True)
    assert_right(made, np.array([50, 1, 60]))
    assert computing.asked == [0, 1, 2, 50, 60]


def test_eight_views_of_a_row_are_entries_of_their_own(tmp_path):
    made, computing = cache(tmp_path, views=8)
    made.fill(np.array([2]), quiet=True)
    assert computing.asked == list(range(16, 24))
    assert_right(made, np.array([2, 2, 2]), np.array([0, 7, 3]))
    assert len(computing.asked) == 8


def test_what_has_no_room_is_computed_every_time(tmp_path, capsys):
    made, computing = cache(tmp_path, limit=20 * RECORD)
    made.fill(np.arange(60), quiet=False)
    assert computing.asked == list(range(20))
    told = capsys.readouterr()
    assert "60 patches" in told.out
    assert "room for 20" in told.err
    for _ in range(2):
        assert_right(made, np.array([3, 59]))
    assert computing.asked == [*range(20), 59, 59]


def test_a_limit_of_nothing_keeps_nothing(tmp_path):
    made, computing = cache(tmp_path, limit=0)
    made.fill(np.arange(4), quiet=True)
    assert computing.asked == []
    assert_right(made, np.arange(4))


def test_a_damaged_record_is_computed_again(tmp_path):
    made, _ = cache(tmp_path)
    made.fill(np.arange(9), quiet=True)
    made.close()
    with open(made.folder / "features.bin", "r+b") as file:
        file.seek(4 * RECORD)
        file.write(b"\xff" * 8)
    again, computing = cache(tmp_path)
    assert_right(again, np.arange(9))
    assert computing.asked == [4]
    again.fill(np.arange(9), quiet=True)  # and is written again
    assert computing.asked == [4, 4]
    assert_right(again, np.arange(9))
    assert computing.asked == [4, 4]


def test_the_oldest_that_nobody_uses_makes_room(tmp_path, capsys):
    folders = {}
    for age, name in enumerate(["used", "old", "young"]):
        made, _ = cache(tmp_path, name=name)
        made.fill(np.arange(10), quiet=True)
        folders[name] = made
        os.utime(made.folder / "about.json", (age, age))
    folders["old"].close(), folders["young"].close()
    on_disk = sum(path.stat().st_blocks * 512 for path in tmp_path.glob("*/features.bin"))
    made, _ = cache(tmp_path, limit=on_disk, name="new")
    made.fill(np.arange(10), quiet=False)
    assert not folders["old"].folder.exists()
    assert folders["used"].folder.exists()
    assert folders["young"].folder.exists()
    assert "removed" in capsys.readouterr().out
    assert_right(made, np.arange(10))


def test_other_numbers_are_another_cache(tmp_path):
    names = {cache(tmp_path, **key)[0].folder.name for key in ({}, {"stain": 1}, {"stain": 2}, {"dtype": "float16"})}
    assert len(names) == 4
    [about] = [
        json.loads(path.read_text()) for path in tmp_path.glob("*/about.json") if 'stain": 2' in path.read_text()
    ]
    assert about["of"] == "of"


def test_a_full_disk_costs_time_and_nothing_else(tmp_path, monkeypatch, capsys):
    made, _ = cache(tmp_path)
    real = os.pwrite
    monkeypatch.setattr(
        os, "pwrite", lambda handle, data, place: _full() if place > 9 * RECORD else real(handle, data, place)
    )
    made.fill(np.arange(40), quiet=True)
    assert "no space is left" in capsys.readouterr().err
    assert_right(made, np.arange(40))


def _full():
    raise OSError(28, "No space left on device")


def test_two_runs_do_not_compute_the_same(tmp_path):
    """The second waits for the first, and finds what it has done."""
    made, computing = cache(tmp_path)
    other, _ = cache(tmp_path)
    second = threading.Thread(target=made.fill, args=(np.arange(6),), kwargs={"quiet": True})
    with locked(made.folder / "build.lock", wait=True):
        second.start()
        second.join(0.3)
        assert second.is_alive()
        other._file.write(np.arange(5), features(np.arange(5)))  # as the first run would
    second.join()
    assert computing.asked == [5]
    assert_right(made, np.arange(6))


def test_the_place_of_caches_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MTA_CACHE", str(tmp_path / "here"))
    assert default_folder() == tmp_path / "here"
    monkeypatch.delenv("MTA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "mta"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be written"):
        CacheFolder(tmp_path / "file" / "caches", 1e9)
