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
    if strategy == "multiworker":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # a lost worker would be reported at length, by each thread
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
