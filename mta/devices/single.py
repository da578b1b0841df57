"""One device, as Keras finds it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from mta.data.failing import Batches
from mta.data.inputs import Inputs
from mta.predicting import predict_rows


class Devices:
    """What the training loop asks of devices; here of one, which Keras serves alone.

    Attributes:
        replicas: copies of the network that share every batch, on all machines together.
        first: whether this process is the one that writes files.
    """

    replicas = 1
    first = True

    def scope(self) -> AbstractContextManager[Any]:
        """Variables made inside belong to these devices."""
        return nullcontext()

    def together(self) -> AbstractContextManager[Any]:
        """A run inside ends on all machines, or on none."""
        return nullcontext()

    def share(self, make: Callable[[], bytes]) -> bytes:
        """What `make` returns in the process that writes files, in all processes; called there alone."""
        return make()

    def fit(
        self, training: Any, batches: Batches, initial_epoch: int, epochs: int, callbacks: list[Any], verbose: int
    ) -> None:
        """Train the compiled model `training` from `initial_epoch` to before `epochs`, or until it is told to stop.

        `batches` of every epoch; several devices share those of a `BatchReader` out.
        """
        # Keras would shuffle the batches once more, by a generator that nobody seeded for it.
        training.fit(
            batches, initial_epoch=initial_epoch, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=verbose
        )

    def predict(self, model: Any, inputs: Inputs, rows: np.ndarray) -> dict[str, np.ndarray]:
        """`mta.predicting.predict_rows`, with the same result in all processes."""
        return predict_rows(model, inputs, rows)
