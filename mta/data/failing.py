"""Input errors that arise while TensorFlow asks for batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from data_prep.errors import InputError


class Batches(keras.utils.PyDataset):
    """A `PyDataset` that remembers why a batch could not be read; subclasses define `batch(index)`.

    TensorFlow's input pipeline turns an exception of a reader into an error of its own, which would show the user
    its traceback in place of our one line.
    """

    failure: InputError | None = None

    def batch(self, index: int) -> tuple[Any, ...]:
        """Batch number `index` (from 0)."""
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        try:
            return self.batch(index)
        except InputError as error:
            self.failure = error
            raise


@contextmanager
def plain_errors(batches: Batches) -> Iterator[None]:
    """Raise the InputError that stopped `batches`, whatever it was wrapped in on the way."""
    try:
        yield
    except Exception:
        if batches.failure is not None:
            raise batches.failure from None
        raise
