"""Mean and variance of each number that enters the shared layers, which the network takes away and divides by.

Encoders and trunks give numbers of any scale, and the same learning rate must do for all of them.
"""

from typing import Any

import numpy as np

from mta.data.inputs import BLOCK, Inputs
from mta.data.reader import epoch_order
from mta.model import STANDARDIZATION

SAMPLE = 2**12  # training rows that they are taken over
FLOOR = 0.1  # of the median deviation: the least that a number is divided by
_STEP = 64


def fit_moments(inputs: Inputs, below: Any, rows: np.ndarray, seed: int) -> np.ndarray:
    """Mean and variance, (2, width) float32, of what `below` gives for `rows`, or for 4,096 of them by `seed`.

    A number that hardly varies there, such as a unit that is nearly always off, would be enormous wherever it does: its
    variance is set to the square of a tenth of the median deviation.

    Args:
        inputs: of the network, for rows of the store.
        below: model from a dict of inputs to (n, width).
        rows: positions in the store.
        seed: of the choice, blocks of 32 rows.

    Raises:
        InputError: where one of the rows cannot be read.
    """
    rows = np.sort(epoch_order(rows, seed, 0, BLOCK)[:SAMPLE])
    shift = _numbers(inputs, below, rows[:_STEP]).mean(axis=0)
    total, squares = np.zeros_like(shift), np.zeros_like(shift)
    for start in range(0, len(rows), _STEP):
        values = _numbers(inputs, below, rows[start : start + _STEP]) - shift
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
    offset = total / len(rows)
    mean, variance = shift + offset, squares / len(rows) - offset**2
    return np.stack([mean, _floored(mean, variance)]).astype(np.float32)


def _floored(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    varies = variance > 1e-12 * np.maximum(1e-12, mean**2)
    if not varies.any():
        return np.ones_like(variance)
    return np.maximum(variance, FLOOR**2 * np.median(variance[varies]))


def _numbers(inputs: Inputs, below: Any, rows: np.ndarray) -> np.ndarray:
    fed = inputs.take(rows)  # may hold what `below` has no use for, such as views
    return np.asarray(below.predict_on_batch({name: fed[name] for name in below.input}), np.float64)


def set_moments(model: Any, moments: np.ndarray) -> None:
    """Let the standardization in `model`, from `build_model`, use `moments` (2, width): mean and variance."""
    layer = model.get_layer(STANDARDIZATION)
    layer.adapt_mean.assign(moments[0])
    layer.adapt_variance.assign(moments[1])
    layer.finalize_state()
