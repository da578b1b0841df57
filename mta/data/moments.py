"""Mean and variance of each number of the training embeddings, which their network takes away and divides by.

Encoders give numbers of any scale, and the same learning rate must do for all of them.
"""

from typing import Any

import numpy as np

from mta.data.dataset import Dataset
from mta.data.inputs import BLOCK
from mta.data.reader import epoch_order
from mta.model import STANDARDIZATION

SAMPLE = 2**16  # training rows that they are taken over
_STEP = 4096


def fit_moments(data: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (width,) float32 over the training rows, or 65,536 of them in blocks by `seed`.

    The variance of a number that never varies is 1: it is passed on as 0. Raises `InputError` where one of the rows
    cannot be read.
    """
    rows = np.sort(epoch_order(data.of("train"), seed, 0, BLOCK)[:SAMPLE])
    shift = data.patches.take(rows[:_STEP]).mean(axis=0, dtype=np.float64)
    total, squares = np.zeros_like(shift), np.zeros_like(shift)
    for start in range(0, len(rows), _STEP):
        values = data.patches.take(rows[start : start + _STEP]) - shift
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
    offset = total / len(rows)
    variance = squares / len(rows) - offset**2
    steady = variance <= 1e-12 * np.maximum(1e-12, (shift + offset) ** 2)
    return (shift + offset).astype(np.float32), np.where(steady, 1.0, variance).astype(np.float32)


def set_moments(model: Any, mean: np.ndarray, variance: np.ndarray) -> None:
    """Let the standardization in `model`, from `build_model`, use `mean` and `variance` (width,)."""
    layer = model.get_layer(STANDARDIZATION)
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(variance)
    layer.finalize_state()
