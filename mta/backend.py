"""Starting Keras and its backend from a command."""

import os
import sys
import tempfile


def start_quietly() -> None:
    """Import Keras with what its backend prints on the way kept off the screen.

    TensorFlow's native code greets with some ten lines about this machine, no setting of its own stops it, and an error
    message of ours would drown in them. They are printed after all when the import fails. `python -m mta.doctor` shows
    devices.
    """
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            import keras

            keras.ops.zeros(()) + 1  # the first operation is what looks for GPUs
        except BaseException:
            notes.seek(0)
            os.write(screen, notes.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
