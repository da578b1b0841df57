"""One run of a study: trained, then measured, or left alone where that is done."""

import gc
import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from mta.config import TrainConfig
from mta.run_folder import RunFolder
from mta.studies.plan import Model, StudyPlan


@dataclass(frozen=True)
class Job:
    """One run to train with `config` and to measure at the epoch that `model` names."""

    row: str
    seed: int
    config: TrainConfig
    model: Model

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.config.out)

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"{self.row}/{self.folder.name}"

    def done(self) -> bool:
        """Whether it is trained and measured.

        Raises:
            InputError: when the folder holds a run of other settings, or something else.
        """
        folder = RunFolder(self.folder)
        standing = folder.standing()
        if standing != "new":
            folder.require_same(self.config)
        return standing == "finished" and self._measured(folder)

    def trained(self) -> bool:
        """Whether it is trained; it may still have to be measured."""
        return RunFolder(self.folder).standing() == "finished"

    def _measured(self, folder: RunFolder) -> bool:
        # evaluation.json is written last.
        present = folder.file("evaluation.json").exists()
        return present and folder.read("evaluation.json").get("model") == self.model


def jobs_of(plan: StudyPlan, folder: Path) -> list[Job]:
    """Every run of `plan` below `folder`: all rows of the first seed, then those of the next."""
    splits = range(max(1, len(plan.splits)))
    return [
        Job(row, seed, plan.config(row, seed, split, folder), plan.model)
        for seed in plan.seeds
        for split in splits
        for row in plan.rows
    ]


def start_worker(threads: int) -> None:
    """Make a fresh process ready: Keras started with so many threads, and nothing on the screen."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    from mta.backend import notes_held_back, start_quietly

    with notes_held_back():
        import cv2
        import keras

        cv2.setNumThreads(threads)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
            tf.get_logger().setLevel("ERROR")  # it counts the functions that run after run compiles
    start_quietly()


def run_job(job: Job) -> list[str]:
    """Train and measure; returns the warnings. To be called in a worker process.

    Raises:
        InputError: for what the run's input lacks, naming the run.
    """
    import keras

    notes = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(notes):
            _work(job)
    except InputError as error:
        raise InputError(f"{job.name}: {error}") from error
    finally:
        # A worker goes through many networks.
        keras.utils.clear_session()
        gc.collect()
    return [line for line in notes.getvalue().splitlines() if line.startswith("warning: ")]


def _work(job: Job) -> None:
    from mta.evaluate import evaluate
    from mta.train import train_config

    if not job.trained():
        train_config(job.config, quiet=True)
    evaluate(job.folder, model=job.model, quiet=True)


def describe(job: Job) -> dict[str, Any]:
    """What `study.json` says of a run."""
    record = RunFolder(job.folder).record()
    named = {name: record.get(name) for name in ("started", "finished", "epochs", "inputs")}
    return {"row": job.row, "seed": job.seed, "folder": f"runs/{job.name}", **named}


def record_of(plan: StudyPlan, folder: Path, failed: dict[str, str]) -> dict[str, Any]:
    """The contents of `study.json`: how the study was made, its settings, and each of its runs."""
    from mta.backend import notes_held_back
    from mta.provenance import provenance

    runs = [describe(job) for job in jobs_of(plan, folder) if job.name not in failed]
    asked = {"baseline": plan.baseline, "control": plan.control, "seeds": plan.seeds, "model": plan.model}
    tested = {"roles": plan.roles, "splits": plan.splits}
    with notes_held_back():  # Keras is asked for its backend
        made = provenance()
    return {**made, **asked, **tested, "rows": plan.rows, "runs": runs, "failed": failed}
