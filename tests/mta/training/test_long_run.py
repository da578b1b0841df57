"""Many epochs cost no more memory and no more open files than some."""

import os
from pathlib import Path

import pytest

from mta.train import train
from mta.training.supervisor import Supervisor
from tests.builders import TINY

EPOCHS = 200
MARGIN = 30  # MiB; a leak of one window of patches or one set of weights an epoch would be hundreds


def resident() -> float:
    """Memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts memory and open files by /proc")
def test_memory_and_open_files_do_not_grow(tiny_h5, tmp_path, monkeypatch):
    seen, end = {}, Supervisor.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        end(self, epoch, logs)
        seen[epoch + 1] = resident(), len(os.listdir("/proc/self/fd"))

    monkeypatch.setattr(Supervisor, "on_epoch_end", on_epoch_end)
    train(tiny_h5, tmp_path / "run", quiet=True, **{**TINY, "epochs": (EPOCHS, 0), "patience": EPOCHS})
    (before, files), (after, files_after) = seen[50], seen[EPOCHS]
    assert after - before < MARGIN
    assert files_after == files
