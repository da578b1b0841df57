"""Batches: every row once an epoch, in an order that depends on seed and epoch alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from mta.data.balance import Balance
from mta.data.failing import plain_errors
from mta.data.inputs import BLOCK, PatchInputs
from mta.data.reader import BatchReader, epoch_order


class Numbered:
    """Patches whose pixels tell their row; `asked` keeps what was read."""

    def __init__(self, count, size=(4, 4)):
        self.size, self.rows, self.asked = size, pd.DataFrame(index=range(count)), []
        grid = np.arange(size[0] * size[1] * 3).reshape(*size, 3)
        self.pixels = ((np.arange(count)[:, None, None, None] * 7 + grid) % 256).astype("uint8")

    def read(self, start, stop):
        self.asked.append((start, stop))
        return self.pixels[start:stop]


def reader(count=50, rows=None, batch_size=8, seed=1, normalizer=None, views=False, **options):
    inputs = PatchInputs(Numbered(count), normalizer, 8 if views else 1)
    rows = np.arange(count) if rows is None else rows
    targets = {"tumor": np.arange(count, dtype="float32")[:, None]}
    return BatchReader(inputs, Balance(rows, []), targets, batch_size, seed, **options)


def seen(batches):
    return np.concatenate([batches[i][0]["y_tumor"][:, 0] for i in range(len(batches))]).astype(int)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.sets(st.integers(0, 999), max_size=300),
    window=st.integers(1, 400),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 200),
)
def test_every_row_once_an_epoch(rows, window, seed, epoch):
    rows = np.array(sorted(rows), dtype=int)
    before = rows.copy()
    order = epoch_order(rows, seed, epoch, window)
    np.testing.assert_array_equal(np.sort(order), rows)
    np.testing.assert_array_equal(order, epoch_order(rows, seed, epoch, window))
    np.testing.assert_array_equal(rows, before)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 120), batch_size=st.integers(1, 50), seed=st.integers(0, 99), epoch=st.integers(0, 9))
def test_batches_hold_every_row_once(count, batch_size, seed, epoch):
    rows = np.arange(count)[::2]
    batches = reader(count, rows, batch_size, seed)
    batches.set_epoch(epoch)
    sizes = [len(batches[i][0]["image"]) for i in range(len(batches))]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert 1 <= sizes[-1] <= batch_size
    np.testing.assert_array_equal(np.sort(seen(batches)), rows)


def test_order_changes_with_seed_and_with_epoch():
    rows = np.arange(200)
    orders = [tuple(epoch_order(rows, seed, epoch, 400)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9


def test_small_sets_are_shuffled_completely():
    first = [epoch_order(np.arange(64), 0, epoch, 64)[0] for epoch in range(2000)]
    counts = np.bincount(first, minlength=64)
    assert counts.min() > 5  # expected 31 each
    assert counts.max() < 70


def test_a_window_keeps_neighbours_of_the_file_together():
    window = 4 * BLOCK
    order = epoch_order(np.arange(40 * BLOCK), 5, 0, window)
    for start in range(0, len(order), window):
        blocks = np.unique(order[start : start + window] // BLOCK)
        assert len(blocks) == 4
    assert not (np.diff(order[:window]) == 1).all()


def test_the_epoch_decides_the_order_whenever_it_is_read():
    batches, other = reader(), reader()
    for epoch in range(3):
        batches.set_epoch(epoch)
    other.set_epoch(2)
    other[1], other[0]
    np.testing.assert_array_equal(seen(batches), seen(other))


def test_inputs_and_targets():
    batches = reader(batch_size=5)
    inputs, targets = batches[0]
    assert set(inputs) == {"image", "y_tumor"}
    assert set(targets) == {"tumor", "loss"}
    rows = inputs["y_tumor"][:, 0].astype(int)
    np.testing.assert_array_equal(inputs["image"], Numbered(50).pixels[rows])
    assert targets["loss"].shape == (5, 1)


def test_views_where_there_are_some_and_fixed_by_seed_epoch_and_batch():
    plain, turned = reader(seed=3), reader(seed=3, views=True)
    assert set(plain[2][0]) == {"image", "y_tumor"}
    np.testing.assert_array_equal(turned[2][0]["image"], plain[2][0]["image"])  # turned on the device
    views = turned[2][0]["views"]
    assert views.dtype == np.int32
    np.testing.assert_array_equal(views, turned[2][0]["views"])
    first, second = (reader(seed=3, views=True, shuffle=False) for _ in range(2))
    second.set_epoch(1)
    assert (first[0][0]["views"] != second[0][0]["views"]).any()


def test_all_eight_views_come_up():
    counts = np.bincount(reader(400, batch_size=400, views=True)[0][0]["views"], minlength=8)
    assert len(counts) == 8
    assert counts.min() > 25  # expected 50 each


def test_original_order_whole_batches_and_redrawn_targets():
    batches = reader(20, shuffle=False, whole_batches=True, redrawn=("random",))
    assert len(batches) == 2
    np.testing.assert_array_equal(seen(batches), np.arange(16))
    first = batches[0][0]["y_random"]
    batches.set_epoch(1)
    assert first.shape == (8, 1)
    assert (first != batches[0][0]["y_random"]).all()
    assert len(reader(5, whole_batches=True)) == 1


def test_a_normalizer_sees_every_patch():
    class Inverted:
        def transform(self, images):
            return 255 - images

    np.testing.assert_array_equal(reader(normalizer=Inverted())[0][0]["image"], 255 - reader()[0][0]["image"])


def test_what_stops_a_reader_comes_out_of_any_wrapping():
    class Damaged(Numbered):
        def read(self, start, stop):
            raise InputError("block 3 is damaged")

    batches = BatchReader(PatchInputs(Damaged(8)), Balance(np.arange(8), []), {}, 4, 0)
    with pytest.raises(InputError, match="block 3"), plain_errors(batches):
        try:
            batches[0]
        except InputError as error:
            raise RuntimeError("from a pipeline") from error
    with pytest.raises(ZeroDivisionError), plain_errors(reader()):
        _ = 1 / 0
