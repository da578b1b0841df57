"""`python -m mta.predict`: apply a trained run or an export to new patches or whole slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.console import run as run_command
from data_prep.console import say
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mta.predictor import Predictor
    from mta.slides import SlideSettings

PROG = "python -m mta.predict"
SLIDES = (
    *(".svs", ".ndpi", ".mrxs", ".tif", ".tiff", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".czi", ".dcm"),
    *(".png", ".jpg", ".jpeg", ".bmp"),
)


def predict(
    run: str | Path,
    source: str | Path,
    out: str | Path | None = None,
    fit: Literal["crop", "resize"] = "crop",
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
) -> pd.DataFrame:
    """Predict tumor, domain and concepts for every patch of a store, every image of a folder, or every embedding.

    Whole slides are for `mta.slides.predict_slides`.

    Args:
        run: run folder, or an export with its model card and stain file.
        source: patch store (any layout), several as "name=path,name=path", or a folder of images. For a run on
            embeddings: a table of slides, a features file, or a folder of them.
        out: CSV to write; None writes nothing.
        fit: how images of another size are brought to the model's: "crop" their middle, or "resize".
        model: of a run, the epoch with the best monitored loss, or the last.
        quiet: no progress bar.

    Returns:
        One row a patch: `row, patient, slide, centre, path, logit, probability, domain`, then each concept in its
        own unit. `path` is the image or entry the patch came from. Embeddings have `x, y` after it, the patch's corner
        in level-0 pixels.

    Raises:
        InputError: for bad input, before anything is written.
    """
    import numpy as np

    from data_prep.files import replacing, require_destination
    from data_prep.store.folder import ImageFolder
    from mta.exported import load_predictor

    if out:
        require_destination(out)
    if is_slide(source):
        raise InputError(f"{source}: a slide, not patches; mta.slides.predict_slides takes slides")
    predictor = load_predictor(run, model)
    patches = _open(str(source), predictor, fit)
    table = predictor.predict(patches, np.arange(len(patches)), quiet)
    if isinstance(patches, ImageFolder):
        patches.warn_of_changes()
    table.insert(4, "path", patches.rows["entry"].astype("str"))
    for place, name in enumerate(("x", "y") if predictor.embedded else (), 5):
        table.insert(place, name, patches.rows[name])
    if out:
        with replacing(out) as temporary:
            table.to_csv(temporary, index=False)
    return table


def is_slide(source: str | Path) -> bool:
    """Whether `source` is a slide, or a plain image, by its name; a folder never is."""
    return str(source).lower().endswith(SLIDES) and not Path(source).is_dir()


def _open(source: str, predictor: Predictor, fit: Literal["crop", "resize"]) -> Any:
    from data_prep.embeddings import open_embeddings
    from data_prep.store.folder import ImageFolder
    from mta.data.opening import open_input

    if Path(source).is_dir():
        return open_embeddings(source) if predictor.embedded else ImageFolder(source, predictor.side, fit)
    return open_input(source, predictor.stored_channels)


def command(
    run: str,
    sources: tuple[str, ...],
    out: str = "",
    fit: Literal["crop", "resize"] = "crop",
    model: Literal["best", "last"] = "best",
    mpp: float | None = None,
    slide_mpp: float | None = None,
    stride: int | None = None,
    tissue: Literal["otsu", "saturation"] = "otsu",
    coverage: float = 0.6,
    threshold: float = 0.5,
    workers: int = 4,
    quiet: bool = False,
) -> None:
    """Predict tumor probability, domain and concepts for new patches or whole slides; no labels needed.

    A store or a folder of images gives one CSV. Slides give a folder each: heatmaps (OME-TIFF, PNG), regions (GeoJSON
    for QuPath), patches (CSV, HDF5) and a summary; a run that was stopped goes on with the next slide. Exits with 1
    when some slides failed. For research only.

    Args:
        run: run folder, or an export (SavedModel folder, .keras, .onnx) with its card and stain file
        sources: one patch store, folder of images, or table, file or folder of embeddings; or any number of slides
        out: CSV to write for patches (default predictions.csv), folder for slides (default predictions)
        fit: bring images of another size to the model's by cropping their middle or by resizing
        model: of a run, the epoch with the best monitored loss, or the last
        mpp: slides: micrometres a pixel of the training patches, where the model does not say
        slide_mpp: slides: micrometres a level-0 pixel, where the files do not say or are wrong
        stride: slides: pixels from one patch to the next (default: their side); fewer overlap and are averaged
        tissue: slides: how tissue is told from glass
        coverage: slides: least share of tissue in a patch
        threshold: slides: tumor probability from which a place counts as tumor
        workers: slides: threads that read and normalize while the model works
        quiet: no progress bar
    """
    of_slides = _all_slides(sources)
    start_quietly()
    from mta.slides import SlideSettings

    settings = SlideSettings(mpp, slide_mpp, stride, tissue, coverage, threshold)
    if of_slides:
        _slides(run, sources, out or "predictions", settings, model, workers, quiet)
        return
    if settings != SlideSettings():
        raise InputError(f"{sources[0]}: no slide; --mpp, --stride and the like are for slides")
    out = out or "predictions.csv"
    table = predict(run, sources[0], out, fit, model, quiet)
    if not quiet:
        say(f"{out}: {len(table)} patches, {int((table['probability'] > 0.5).sum())} above probability 0.5")


def _all_slides(sources: Sequence[str]) -> bool:
    """Whether `sources` are slides; InputError unless they are, or are one store or folder."""
    slides = [source for source in sources if is_slide(source)]
    others = [source for source in sources if source not in slides]
    if slides and others:
        raise InputError(f"{slides[0]} is a slide, {others[0]} is none; predict them one after the other")
    if not slides and len(others) != 1:
        raise InputError("name one patch store or folder of images (several stores: a=A.h5,b=B.h5), or slides")
    return bool(slides)


def _slides(
    run: str,
    slides: Sequence[str],
    out: str,
    settings: SlideSettings,
    model: Literal["best", "last"],
    workers: int,
    quiet: bool,
) -> None:
    from data_prep.store.words import counted
    from mta.slides import predict_slides

    table = predict_slides(run, slides, out, settings, model, workers, quiet)
    failed = int((table["status"] == "failed").sum())
    if not quiet:
        say(f"{out}: {counted(len(table), 'slide')}, {failed} failed; see {Path(out) / 'summary.csv'}")
    if failed:
        raise SystemExit(1)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    import tyro

    run_command(tyro.conf.configure(tyro.conf.PositionalRequiredArgs)(command), PROG, argv)


if __name__ == "__main__":
    main()
