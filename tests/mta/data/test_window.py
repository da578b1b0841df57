"""Windows of an order: the right patches, few reads, little memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mta.data.inputs import BLOCK
from mta.data.reader import epoch_order
from mta.data.window import GAP, PIECE, Windows
from tests.mta.data.test_reader import Numbered

COUNT = 600


def windows_of(patches, window):
    return Windows(patches, window, (4, 4, 3), np.uint8)


@settings(max_examples=100, deadline=None)
@given(
    order=st.permutations(range(0, 120, 3)).map(np.array),
    window=st.integers(1, 50),
    asked=st.lists(st.tuples(st.integers(0, 39), st.integers(1, 12)), min_size=1, max_size=8),
)
def test_any_positions_asked_in_any_order_are_the_patches_of_the_order(order, window, asked):
    patches = Numbered(120)
    windows = windows_of(patches, window)
    windows.start(order)
    for start, length in asked:
        stop = min(start + length, len(order))
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


def test_memory_is_that_of_two_windows_over_all_epochs(monkeypatch):
    made, empty = [], np.empty
    patches = Numbered(COUNT)
    windows = windows_of(patches, 64)
    monkeypatch.setattr(np, "empty", lambda shape, *kind, **more: made.append(shape) or empty(shape, *kind, **more))
    for epoch in range(3):
        order = epoch_order(np.arange(COUNT), 0, epoch, 64)
        windows.start(order)
        np.testing.assert_array_equal(windows.between(300, 310), patches.pixels[order[300:310]])
        np.testing.assert_array_equal(batches(windows, order, 10), patches.pixels[order])
    assert made.count((64, 4, 4, 3)) == 2
    assert max(shape[0] for shape in made if np.shape(shape) == (4,)) == 64


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
