"""Whether the networks of a study can be built, found out before the first run."""

import gc
import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout

from data_prep.console import progress
from data_prep.errors import InputError
from data_prep.processes import worker_pool
from mta.config import model_spec
from mta.spec import ModelSpec
from mta.studies.job import Job, start_worker
from mta.studies.running import cores


def require_networks(jobs: Sequence[Job], shapes: Mapping[str, tuple[int, ...]], quiet: bool) -> None:
    """Raise InputError, naming the row, unless the network of every job that is still to be trained can be built.

    Runs of the same architecture share one attempt. ImageNet weights that Keras has not yet are downloaded here, once,
    and not by all workers at the same time.

    Args:
        jobs: runs that are not done.
        shapes: row -> shape of an input, (side, side, 3) or (width,).
        quiet: no progress bar.
    """
    rows: dict[ModelSpec, str] = {}
    for job in jobs:
        if not job.trained():
            rows.setdefault(_spec(job, shapes[job.row]), job.row)
    if not rows:
        return
    # Not in this process: what has built a network keeps memory, of the GPU above all, until it ends, and the workers
    # need it. Nor in the first of them, so that runs begin in the same fresh process as without this.
    with worker_pool(1, start_worker, cores()) as pool:
        for spec, row in progress(rows.items(), "networks", len(rows), quiet):
            try:
                pool.submit(build, spec).result()
            except InputError as error:
                raise _of_row(row, error) from error


def _spec(job: Job, shape: tuple[int, ...]) -> ModelSpec:
    """The network of `job`, with two domains for any number: how many there are makes nothing fail."""
    try:
        return model_spec(job.config, 2 if job.config.adversary == "centre" else 0, shape)
    except InputError as error:
        raise _of_row(job.row, error) from error


def _of_row(row: str, error: InputError) -> InputError:
    return InputError(f"row {row}: {error}")


def build(spec: ModelSpec) -> None:
    """Build the network of `spec`, and let go of it. To be called in a worker process."""
    import keras

    from mta.model import build_model

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        build_model(spec)
    keras.utils.clear_session()
    gc.collect()
