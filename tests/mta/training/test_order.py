"""The rows that a real training reads, in their order."""

import numpy as np
import pytest

from mta.data.reader import BatchReader, epoch_order
from mta.train import train
from tests.builders import TINY, tiny_pixels, tiny_rows

ROWS = tiny_rows()
WINDOW = 2**28 // (32 * 32 * 3)
EPOCHS, SIZE = 3, 5


def rows_of_steps(store, out, monkeypatch, **settings):
    """(epoch, number, rows) of every batch of a training; patches are told by their pixels."""
    seen, real = [], BatchReader.batch
    row_of = {patch.tobytes(): row for row, patch in enumerate(tiny_pixels(ROWS))}

    def batch(self, index):
        inputs, targets = real(self, index)
        seen.append((self._epoch, index, [row_of[patch.tobytes()] for patch in inputs["image"]]))
        return inputs, targets

    monkeypatch.setattr(BatchReader, "batch", batch)
    train(store, out, quiet=True, **{**TINY, "epochs": (EPOCHS, 0), "batch_size": SIZE, "stain": "none", **settings})
    return seen[2:]  # Keras looks at two batches before it starts


def read(steps, epoch):
    return [row for number, _, rows in steps if number == epoch for row in rows]


def test_an_epoch_reads_the_rows_in_the_order_of_seed_and_epoch(tiny_h5, tmp_path, monkeypatch):
    steps = rows_of_steps(tiny_h5, tmp_path / "run", monkeypatch, preset="multitask")
    training = np.flatnonzero(ROWS["role"] == "train")
    assert [(epoch, index) for epoch, index, _ in steps] == [(e, i) for e in range(EPOCHS) for i in range(5)]
    for epoch in range(EPOCHS):
        np.testing.assert_array_equal(read(steps, epoch), epoch_order(training, 1001, epoch, WINDOW))
    assert read(steps, 0) != read(steps, 1)


@pytest.mark.parametrize("preset", ["baseline", "multitask"])
def test_only_the_originals_baseline_is_read_in_the_order_of_the_store(tiny_h5, tmp_path, monkeypatch, preset):
    steps = rows_of_steps(
        tiny_h5, tmp_path / "run", monkeypatch, preset=preset, profile="original", class_weights="training"
    )
    for epoch in range(EPOCHS):
        rows = read(steps, epoch)
        assert len(rows) == 45  # of all 48, the last three make no batch
        assert (rows == list(range(45))) == (preset == "baseline")
