"""Starting Keras and its backend from a command."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def start_quietly(strategy: str = "none") -> None:
    """Import Keras, and open the devices of `strategy`, with what the backend prints on the way kept off the screen.

    Raises:
        InputError: from `mta.devices.open_devices`.
    """
    with notes_held_back():
        import keras

        import mta.devices

        if strategy == "none":
            keras.ops.zeros(()) + 1  # the first operation is what looks for GPUs, and binds TensorFlow to this machine
    mta.devices.open_devices(strategy)


@contextmanager
def notes_held_back() -> Iterator[None]:
    """Keep what native code writes to standard error off the screen, unless the block fails: then it is printed.

    TensorFlow greets with some ten lines about this machine, no setting of its own stops it, and an error message of
    ours would drown in them.
    """
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(screen, notes.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


@contextmanager
def python_alone_on_screen() -> Iterator[None]:
    """Keep what native code writes to standard error off the screen, and let what Python writes there pass.

    TensorFlow reports a lost worker at length, from several threads and at levels that no setting silences. With
    TF_CPP_MIN_LOG_LEVEL=0 everything passes.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    python, screen = sys.stderr, os.dup(2)
    python.flush()
    with open(os.devnull, "w") as nothing, open(screen, "w", buffering=1, encoding="utf-8") as passing:
        os.dup2(nothing.fileno(), 2)
        sys.stderr = passing
        try:
            yield
        finally:
            passing.flush()
            os.dup2(screen, 2)
            sys.stderr = python
