"""Any rows in any order, read as the few blocks that hold them."""

from collections.abc import Callable
from typing import Any

import numpy as np

# Reading a few unwanted patches costs less than one more call into HDF5.
_GAP = 4
# Fills an array with what lies on disk from a row on.
Reader = Callable[[np.ndarray, int], None]


def gather(indices: Any, total: int, shape: tuple[int, ...], dtype: np.dtype, read_into: Reader) -> np.ndarray:
    """Rows `indices` (n,) of `total`, in that order, duplicates allowed: (n, *shape) of `dtype`.

    Raises `IndexError` for a row that is not there, and what `read_into` raises.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < total):
        raise IndexError(f"patches {wanted.min()} to {wanted.max()} of {total}")
    spans, positions = _spans(wanted)
    buffer = np.empty((int(np.sum(spans[:, 1] - spans[:, 0])), *shape), dtype)
    filled = 0
    for start, stop in spans:
        read_into(buffer[filled : filled + stop - start], int(start))
        filled += stop - start
    return np.take(buffer, positions, axis=0)


def _spans(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blocks (k, 2) of start and stop that hold `wanted`, and the place of each wanted patch in their concatenation."""
    present = np.unique(wanted)
    cuts = np.flatnonzero(np.diff(present) > _GAP)
    starts = present[np.r_[0, cuts + 1]] if present.size else present
    stops = present[np.r_[cuts, -1]] + 1 if present.size else present
    offsets = np.r_[0, np.cumsum(stops - starts)]
    span = np.searchsorted(starts, wanted, side="right") - 1
    return np.stack([starts, stops], axis=1), wanted - starts[span] + offsets[span]
