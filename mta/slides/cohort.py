"""From a model and slides to a folder of predictions, in any number of attempts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from data_prep.claims import claimed
from data_prep.cohorts import slides_from_paths
from data_prep.console import require_workers, say, warn
from data_prep.files import make_folder, require_destination
from mta.exported import load_predictor
from mta.predictor import Predictor
from mta.slides.job import make_jobs
from mta.slides.settings import SlideSettings
from mta.slides.summary import write_table
from mta.slides.task import Work, line, predict_slide


def predict_slides(
    run: str | Path,
    slides: Sequence[str | Path],
    out: str | Path,
    settings: SlideSettings | None = None,
    model: Literal["best", "last"] = "best",
    workers: int = 4,
    quiet: bool = False,
) -> pd.DataFrame:
    """Predict tumor and concepts on the tissue of whole slides; a folder of files for each in `out`.

    Patches lie on a grid at the resolution of the training patches and go through the run's stain normalization.
    Slides that are done (same model, settings and slide) are left alone, so a run that was stopped goes on with the
    next one.

    Args:
        run: run folder, or an export with its model card and stain file.
        slides: slide files, no two of one name.
        out: folder to write into; made if needed.
        settings: where to look and what counts as tumor; None for the defaults.
        model: of a run, the epoch with the best monitored loss, or the last.
        workers: threads that read and normalize while the model works; they change nothing in the files.
        quiet: print nothing but warnings.

    Returns:
        `summary.csv`: one line a slide in their order, with `status` "done" or "failed" and `error`.

    Raises:
        InputError: for bad input, before anything is written. What is wrong with one slide is in its line instead.
    """
    out, settings = Path(out), settings or SlideSettings()
    require_workers(workers)
    entries = [replace(entry, mpp=settings.slide_mpp) for entry in slides_from_paths(slides)]
    require_destination(out / "summary.csv")
    predictor = load_predictor(run, model)
    settings.patch_mpp(predictor)
    settings.patch_stride(predictor.side)
    _warn_of_channels(predictor)
    work = Work(predictor, settings, workers, quiet)
    make_folder(out)
    with claimed(out):
        jobs = make_jobs(entries, predictor, settings, out)
        summaries = [_told(predict_slide(job, work), quiet) for job in jobs]
        return write_table(out / "summary.csv", summaries, tuple(work.concepts))


def _told(summary: dict[str, Any], quiet: bool) -> dict[str, Any]:
    for note in summary.get("notes", ()):
        warn(f"{summary['slide']}: {note}")
    if summary["status"] == "failed":
        warn(f"{summary['slide']}: {summary['error']}")
    elif not quiet:
        say(line(summary))
    return summary


def _warn_of_channels(predictor: Predictor) -> None:
    if predictor.stored_channels:
        warn(
            f"{predictor.path}: trained on channels as its files held them (profile original), slides are read as RGB; "
            "if those files were Camelyon hierarchies, which hold BGR, the predictions mean little"
        )
