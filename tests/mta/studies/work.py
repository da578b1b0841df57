"""What stands for training in worker processes, which import it by name."""

import os
import signal
from pathlib import Path

from data_prep.errors import InputError
from tests.mta.studies.builders import predictions, write_run

GAINS = {"plain": 0.2, "mta": 1.5, "noise": 0.3}


def start(threads: int) -> None:
    """No TensorFlow."""


def build(spec) -> None:
    """Any network can be built."""


def write(job) -> list[str]:
    """A run that is measured at once."""
    write_run(Path(job.folder), predictions(GAINS[job.row], job.seed), model=job.model)
    (job.folder / "process").write_text(str(os.getpid()))
    return ["warning: few patients"]


def fail_or_die(job) -> list[str]:
    """Seed 1 of mta is killed by the system, seed 2 lacks something."""
    if job.row == "mta" and job.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.row == "mta" and job.seed == 2:
        raise InputError(f"{job.name}: lacks something")
    return write(job)


def break_down(job) -> list[str]:
    """Seed 3 of mta meets what nobody thought of."""
    if job.row == "mta" and job.seed == 3:
        raise MemoryError("no room\nfor it")
    return write(job)
