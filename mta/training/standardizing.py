"""The moments of what enters the shared layers, fitted before the first step."""

from typing import Any

import numpy as np

from mta.data.moments import fit_moments, set_moments
from mta.devices import Devices
from mta.training.feeding import Feed


def standardize(model: Any, feed: Feed, rows: np.ndarray, devices: Devices, seed: int) -> None:
    """Let `model` standardize by the moments over `rows`, the same in all processes; nothing where it does not.

    Raises:
        InputError: where one of the rows cannot be read.
    """
    if feed.below is None:
        return
    shared = devices.share(lambda: fit_moments(feed.inputs, feed.below, rows, seed).tobytes())
    with devices.scope():
        set_moments(model, np.frombuffer(shared, np.float32).reshape(2, -1))
