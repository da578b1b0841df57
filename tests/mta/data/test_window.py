"""Windows of an order: the right patches, few reads, little memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from mta.data import window
from mta.data.inputs import BLOCK
from mta.data.reader import epoch_order
from mta.data.window import GAP, PIECE, Windows
from tests.mta.data.test_reader import Numbered

COUNT = 600


def windows_of(patches, length):
    return Windows(patches, length, (*patches.size, 3), np.uint8)


@settings(max_examples=100, deadline=None)
@given(
    order=st.permutations(range(0, 120, 3)).map(np.array),
    length=st.integers(1, 50),
    asked=st.lists(st.tuples(st.integers(0, 39), st.integers(1, 12)), min_size=1, max_size=8),
)
def test_any_positions_asked_in_any_order_are_the_patches_of_the_order(order, length, asked):
    patches = Numbered(120)
    windows = windows_of(patches, length)
    windows.start(order)
    for start, count in asked:
        stop = min(start + count, len(order))
        np.testing.assert_array_equal(windows.between(start, stop), patches.pixels[order[start:stop]])


def batches(windows, order, size):
    return np.concatenate([windows.between(at, min(at + size, len(order))) for at in range(0, len(order), size)])


def test_an_epoch_reads_every_patch_once_in_blocks():
    patches = Numbered(COUNT)
    windows, order = windows_of(patches, 4 * BLOCK), epoch_order(np.arange(COUNT), 3, 0, 4 * BLOCK)
    windows.start(order)
    np.testing.assert_array_equal(batches(windows, order, 7), patches.pixels[order])
    read = np.concatenate([np.arange(*span) for span in patches.asked])
    np.testing.assert_array_equal(np.sort(read), np.arange(COUNT))
    assert len(patches.asked) <= COUNT / BLOCK + 5  # a block may lie across the border of two of the five windows


def test_rows_far_apart_are_read_apart_and_long_runs_in_pieces():
    patches = Numbered(COUNT)
    windows = windows_of(patches, COUNT)
    order = np.array([500, 3, 3 + GAP, 0])
    windows.start(order)
    np.testing.assert_array_equal(windows.between(0, 4), patches.pixels[order])
    assert patches.asked == [(0, 4 + GAP), (500, 501)]
    patches.asked.clear()
    windows.start(np.arange(2 * PIECE + 1))
    windows.between(0, 1)
    assert patches.asked == [(0, PIECE), (PIECE, 2 * PIECE), (2 * PIECE, 2 * PIECE + 1)]


def test_memory_is_that_of_one_window_over_all_epochs(monkeypatch):
    made, memory_for = [], window._memory_for
    monkeypatch.setattr(window, "_memory_for", lambda shape, dtype: made.append(shape) or memory_for(shape, dtype))
    patches = Numbered(COUNT)
    windows = windows_of(patches, 64)
    for epoch in range(3):
        order = epoch_order(np.arange(COUNT), 0, epoch, 64)
        windows.start(order)
        np.testing.assert_array_equal(windows.between(300, 310), patches.pixels[order[300:310]])
        np.testing.assert_array_equal(batches(windows, order, 10), patches.pixels[order])
    assert made == [(64, 4, 4, 3)]
    small = windows_of(patches, 64)
    small.start(np.arange(5))
    small.between(0, 5)
    assert made[1:] == [(5, 4, 4, 3)]


def test_in_order_no_patch_is_read_twice_and_none_from_a_window_that_could_not_be_read(monkeypatch):
    patches = Numbered(COUNT)
    windows = windows_of(patches, 50)
    windows.start(np.arange(COUNT))
    batches(windows, np.arange(COUNT), 7)
    assert sum(stop - start for start, stop in patches.asked) == COUNT
    with monkeypatch.context() as patch, pytest.raises(InputError):
        patch.setattr(patches, "read", broken)
        windows.between(0, 5)
    np.testing.assert_array_equal(windows.between(0, 5), patches.pixels[:5])


def broken(start, stop):
    raise InputError("block 3 is damaged")


def test_large_patches_are_read_in_smaller_pieces():
    patches = Numbered(20, (512, 512))
    windows = windows_of(patches, 20)
    windows.start(np.arange(20))
    np.testing.assert_array_equal(windows.between(0, 20), patches.pixels)
    assert {stop - start for start, stop in patches.asked} == {2}


def test_what_was_given_out_stays_as_it_was():
    patches = Numbered(COUNT)
    windows = windows_of(patches, 10)
    windows.start(np.arange(COUNT))
    first = windows.between(0, 10)
    for start in range(10, 60, 10):
        windows.between(start, start + 10)
    np.testing.assert_array_equal(first, patches.pixels[:10])


@pytest.mark.parametrize("first", [0, 1])
def test_a_new_order_is_not_served_from_old_windows(first):
    patches = Numbered(COUNT)
    windows = windows_of(patches, 10)
    for order in (np.arange(COUNT), np.arange(COUNT)[::-1]):
        windows.start(order)
        np.testing.assert_array_equal(windows.between(first, 5), patches.pixels[order[first:5]])
