"""The parts of all replicas together are the batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mta.data.parts import Sharing, fill_up
from tests.mta.data.test_reader import reader


@settings(max_examples=100, deadline=None)
@given(count=st.integers(1, 70), replicas=st.integers(1, 9), processes=st.integers(1, 3))
def test_every_row_is_in_one_part_and_every_part_in_one_process(count, replicas, processes):
    total = replicas * processes
    sharings = [Sharing(range(p * replicas, (p + 1) * replicas), total) for p in range(processes)]
    every = np.arange(count)
    parts = [every[sharings[0].part(count, r)] for r in range(total)]
    np.testing.assert_array_equal(np.concatenate(parts), every)
    assert max(map(len, parts)) == sharings[0].size(count)
    np.testing.assert_array_equal(np.concatenate([every[sharing.own(count)] for sharing in sharings]), every)


@pytest.mark.parametrize("options", [{}, {"views": True}, {"shuffle": False}, {"redrawn": ("random",)}])
@pytest.mark.parametrize("process", [0, 1])
def test_parts_of_a_process_are_the_rows_of_the_batch_and_nothing_else_is_read(options, process):
    whole, shared = reader(count=45, batch_size=7, **options), reader(count=45, batch_size=7, **options)
    shared.share(Sharing(range(2 * process, 2 * process + 2), 4))
    for epoch in (0, 1):
        whole.set_epoch(epoch)
        shared.set_epoch(epoch)
        for index in range(len(whole)):
            compare(whole.batch(index), shared, index, process)


def compare(batch, shared, index, process):
    inputs, targets = batch
    count = len(targets["tumor"])
    for replica in (2 * process, 2 * process + 1):
        x, y, rows = shared.part(index, replica)
        span = Sharing(replicas=4).part(count, replica)
        real = span.stop - span.start
        assert rows == count
        assert len(y["tumor"]) == len(x["image"]) == Sharing(replicas=4).size(count)
        for name in inputs:
            np.testing.assert_array_equal(x[name][:real], inputs[name][span], err_msg=name)
        assert (y["tumor"][real:] == -1).all()
        assert (x["y_tumor"][real:] == -1).all()


def test_a_process_reads_its_share_alone():
    shared = reader(count=40, batch_size=8, shuffle=False)
    shared.share(Sharing(range(1, 2), 2))
    for index in range(len(shared)):
        shared.part(index, 1)
    patches = shared._inputs._patches
    read = {row for start, stop in patches.asked for row in range(start, stop)}
    assert read == {row for row in range(40) if row % 8 >= 4}


def test_rows_that_are_added_have_no_label():
    inputs = {"image": np.arange(24, dtype="uint8").reshape(2, 2, 2, 3)}
    targets = {"tumor": np.float32([[1], [0]]), "domain": np.eye(2, dtype="float32"), "ncount": np.float32([[2], [3]])}
    x, y = fill_up(inputs, targets, 3)
    np.testing.assert_array_equal(x["image"][2], inputs["image"][1])
    assert y["tumor"][2] == -1
    assert not y["domain"][2].any()
    assert np.isnan(y["ncount"][2])
    nothing, _ = fill_up({"image": inputs["image"][:0]}, {name: values[:0] for name, values in targets.items()}, 1)
    assert nothing["image"].shape == (1, 2, 2, 3)
    assert not nothing["image"].any()
