"""`python -m mta.predict`: apply a trained run to new patches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.console import run as run_command
from data_prep.console import say
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    import pandas as pd

    from mta.trained import Trained

PROG = "python -m mta.predict"
SLIDES = (".svs", ".ndpi", ".mrxs", ".tif", ".tiff", ".scn", ".vms", ".vmu", ".bif", ".svslide")


def predict(
    run: str | Path,
    source: str | Path,
    out: str | Path | None = None,
    fit: Literal["crop", "resize"] = "crop",
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
) -> pd.DataFrame:
    """Predict tumor, domain and concepts for every patch of a store, every image of a folder, or every embedding.

    Args:
        run: run folder.
        source: patch store (any layout), several as "name=path,name=path", or a folder of images. For a run on
            embeddings: a table of slides, a features file, or a folder of them.
        out: CSV to write; None writes nothing.
        fit: how images of another size are brought to the model's: "crop" their middle, or "resize".
        model: the epoch with the best monitored loss, or the last.
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
    from mta.trained import load_run

    if out:
        require_destination(out)
    trained = load_run(run, model)
    patches = _open(str(source), trained, fit)
    table = trained.predict(patches, np.arange(len(patches)), quiet)
    if isinstance(patches, ImageFolder):
        patches.warn_of_changes()
    table.insert(4, "path", patches.rows["entry"].astype("str"))
    for place, name in enumerate(("x", "y") if trained.embedded else (), 5):
        table.insert(place, name, patches.rows[name])
    if out:
        with replacing(out) as temporary:
            table.to_csv(temporary, index=False)
    return table


def _open(source: str, trained: Trained, fit: Literal["crop", "resize"]) -> Any:
    from data_prep.embeddings import open_embeddings
    from data_prep.store.folder import ImageFolder
    from mta.data.opening import open_input

    if Path(source).is_dir():
        return open_embeddings(source) if trained.embedded else ImageFolder(source, trained.shape[0], fit)
    if source.lower().endswith(SLIDES) and Path(source).exists():
        raise InputError(
            f"{source}: a slide, not patches; cut it first: python -m data_prep extract {source} --out OUT.h5"
        )
    return open_input(source, trained.stored_channels)


def command(
    run: str,
    source: str,
    out: str = "predictions.csv",
    fit: Literal["crop", "resize"] = "crop",
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
) -> None:
    """Predict tumor probability, domain and concepts for new patches; no labels needed.

    Args:
        run: run folder
        source: patch store, or folder of images; for a run on embeddings a table of slides, a features file or a folder
        out: CSV to write
        fit: bring images of another size to the model's by cropping their middle or by resizing
        model: the epoch with the best monitored loss, or the last
        quiet: no progress bar
    """
    start_quietly()
    table = predict(run, source, out, fit, model, quiet)
    if not quiet:
        say(f"{out}: {len(table)} patches, {int((table['probability'] > 0.5).sum())} above probability 0.5")


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    import tyro

    run_command(tyro.conf.configure(tyro.conf.PositionalRequiredArgs)(command), PROG, argv)


if __name__ == "__main__":
    main()
