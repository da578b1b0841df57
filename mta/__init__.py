"""Multi-task adversarial CNNs for histopathology.

Nothing heavy is imported here: TensorFlow comes with the first call that needs it.
"""

import os
from pathlib import Path
from typing import Any

# TensorFlow's start-up notes about this machine would bury our own messages; the user's setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

__version__ = "0.1.0"


def load(run: str | Path) -> Any:
    """The trained inference model of a run: a Keras model with dict outputs.

    Args:
        run: run folder of `python -m mta.train`.

    Returns:
        Model from RGB patches (n, size, size, 3), values 0 to 255, to a dict of `tumor` (n, 1) logits, `domain`
        (n, centres) probabilities where there is an adversary, and each concept (n, 1) in standardized units.
        Patches must be stain-normalized as the run's `stain.json` says; `mta.predict` does that by itself.

    Raises:
        InputError: when the folder holds no finished run.
    """
    from mta.trained import finished_run

    return finished_run(run).load_model()
