"""`python -m data_prep synthesize-slides FOLDER`: small synthetic whole-slide images with annotations."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from data_prep.console import progress, run, say
from data_prep.errors import InputError


def synthesize_slides(
    folder: Path,
    /,
    slides: int = 8,
    patients: int = 6,
    side: int = 2500,
    mpp: float = 0.5,
    seed: int = 0,
    quiet: bool = False,
    overwrite: bool = False,
) -> None:
    """Make a cohort of small H&E lymph nodes as slides: pyramidal TIFF, outlined metastases, true nuclei, slides.csv.

    A patient belongs to one of five centres in turn; slides beyond one for each patient are the first patient's, and
    every other of these has no metastasis. The same flags give the same slides.

    Args:
        folder: where the slides go; slides.csv in it is what `extract --cohort` takes.
        slides: slides in all.
        patients: patients in all, no more than slides.
        side: width of a slide in pixels; its height is four fifths of it.
        mpp: micrometres a pixel; nuclei keep their physical size.
        seed: of every random draw.
        quiet: no progress bar.
        overwrite: replace slides of the same names that are there.
    """
    from data_prep.synthetic import TABLE
    from data_prep.synthetic import synthesize_slides as write

    if (folder / TABLE).exists() and not overwrite:
        raise InputError(f"{folder / TABLE}: exists already; choose another folder or add --overwrite")
    table = write(folder, slides, patients, side, mpp, seed, partial(progress, label=folder.name, quiet=quiet))
    say(f"{table}: {slides} slides of {patients} patients, {side} px wide at {mpp} um/px")


def main(argv: Sequence[str]) -> None:
    """Run the command with the flags `argv`."""
    run(synthesize_slides, "python -m data_prep synthesize-slides", argv)
