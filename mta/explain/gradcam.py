"""`python -m mta.explain gradcam`: where each head looks, and how true and how sharp that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_prep.console import require_seed, say, warn
from data_prep.console import run as run_command
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mta.explain.mapping import Mapper, MapSettings
    from mta.explain.opening import Subject

PROG = "python -m mta.explain gradcam"
_FILES = {
    "agreement": ("pointing game", "energy inside"),
    "deletion": ("deletion", "insertion"),
    "sharpness": ("L1", "L2"),
}


def gradcam(
    runs: Sequence[str | Path],
    out: str | Path = "",
    layer: str = "",
    heads: Sequence[str] = (),
    settings: MapSettings | None = None,
    n: int = 64,
    shown: int = 8,
    model: Literal["best", "last"] = "best",
    quiet: bool = True,
) -> dict[str, pd.DataFrame]:
    """Draw and measure the attribution maps of one run, or of several on the same patches.

    Args:
        runs: run folders on images; the first is compared with each other one.
        out: folder for the results; default RUN/explain/gradcam of a single run.
        layer: for Grad-CAM; default the last map of each network.
        heads: names wanted; default all. One that a further run lacks is left out there; it needs one of them.
        settings: how maps are made; its seed is that of the choice of patches too.
        n: patches measured, of the test rows.
        shown: patches in the gallery.
        model: the epoch with the best monitored loss, or the last.
        quiet: no progress bar.

    Returns:
        The tables `agreement`, `deletion`, `curves` (the file `deletion_curves.csv`) and `sharpness`, and `comparison`
        for several runs.

    Raises:
        InputError: for bad input, before anything is written.
    """
    from data_prep.claims import claimed
    from data_prep.files import replacing
    from mta.explain.map_figures import draw_curves, draw_patches
    from mta.explain.map_measuring import choose_rows, measure_maps
    from mta.explain.mapping import MapSettings
    from mta.explain.opening import open_subjects, results_folder

    folder = results_folder(runs, str(out), "gradcam")
    if n < 1 or shown < 1:
        raise InputError("give --n and --shown of 1 or more")
    settings = settings or MapSettings()
    subjects = open_subjects(runs, model)
    mappers = [_mapper(subject, heads, layer, first=subject is subjects[0]) for subject in subjects]
    chosen = choose_rows(subjects[0], n, shown, settings.seed)
    with claimed(folder):
        facts, curves = measure_maps(subjects, mappers, chosen.measured, settings, quiet)
        tables = _tables(facts, curves, [subject.name for subject in subjects])
        draw_patches(subjects, mappers, chosen, settings, folder / "gallery.png")
        draw_curves(curves, folder / "deletion.png")
        for name, table in tables.items():
            with replacing(folder / f"{'deletion_curves' if name == 'curves' else name}.csv") as temporary:
                table.to_csv(temporary, index=False)
    _say(tables, folder, quiet)
    return tables


def _mapper(subject: Subject, heads: Sequence[str], layer: str, first: bool) -> Mapper:
    from mta.explain.mapping import Mapper

    model = subject.trained.model
    there = [head for head in heads if head in model.output]
    if heads and not there and not first:
        raise InputError(f"{subject.trained.path}: the run has none of the heads {', '.join(heads)}")
    try:
        return Mapper(model, heads if first else there, layer)
    except InputError as error:
        raise InputError(f"{subject.trained.path}: {error}") from error


def _tables(facts: pd.DataFrame, curves: pd.DataFrame, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    from mta.explain.map_facts import compared, summarized

    every = summarized(facts)
    tables = {name: every[every["measure"].isin(measures)] for name, measures in _FILES.items()}
    if not tables["agreement"]["patches"].any():
        warn("no nuclei to agree with: the store has no masks, and no mpp to segment at; see docs/maps.md")
    sharp = tables["sharpness"].drop(columns=["chance", "gain", "gain_low", "gain_high"])
    tables |= {"curves": curves, "sharpness": sharp}
    if len(names) > 1:
        tables["comparison"] = pd.concat([compared(facts, names[0], other) for other in names[1:]])
    return tables


def _say(tables: dict[str, pd.DataFrame], folder: Path, quiet: bool) -> None:
    if quiet:
        return
    cam = tables["agreement"][tables["agreement"]["method"].eq("gradcam")]
    if len(cam):
        say(f"{'run':<16} {'head':<14} {'Grad-CAM':<14} {'value':>6} {'chance':>7} {'gain [95 % interval]':>24}")
    for row in cam.itertuples():
        gain = f"{row.gain:+.3f} [{row.gain_low:+.3f}, {row.gain_high:+.3f}]"
        say(f"{row.run:<16} {row.head:<14} {row.measure:<14} {row.value:>6.3f} {row.chance:>7.3f} {gain:>24}")
    say(f"{folder}: gallery.png, deletion.png, {', '.join(tables)} (CSV)")


def command(
    runs: tuple[str, ...],
    out: str = "",
    layer: str = "",
    heads: tuple[str, ...] = (),
    methods: tuple[Literal["gradcam", "integrated-gradients", "smoothgrad", "smoothgrad-squared"], ...] = (
        "gradcam",
        "integrated-gradients",
        "smoothgrad",
        "smoothgrad-squared",
    ),
    n: int = 64,
    shown: int = 8,
    steps: int = 50,
    samples: int = 25,
    sigma: float = 0.15,
    seed: int = 0,
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
) -> None:
    """Draw where each head looks, and measure the maps: agreement with nuclei, deletion and insertion, sharpness.

    Writes gallery.png, deletion.png, agreement.csv, deletion.csv, deletion_curves.csv, sharpness.csv, and
    comparison.csv for several runs.

    Args:
        runs: run folders on images; the first is compared with the others on the same patches
        out: folder for the results (default of one run: RUN/explain/gradcam)
        layer: map for Grad-CAM (default: the last of the trunk)
        heads: tumor, domain, concepts (default: all)
        methods: how maps are made; the first is shown
        n: test patches measured
        shown: patches in the gallery, half of them the worst errors
        steps: points on the path of integrated gradients
        samples: noisy copies for SmoothGrad
        sigma: noise of SmoothGrad, share of the range of pixels
        seed: of the choice of patches and the noise
        model: the epoch with the best monitored loss, or the last
        quiet: no progress bar and no table
    """
    require_seed(seed)
    if not methods:
        raise InputError("give one or more --methods")
    start_quietly()
    from mta.explain.mapping import MapSettings

    settings = MapSettings(tuple(dict.fromkeys(methods)), steps, samples, sigma, seed)
    gradcam(runs, out, layer, heads, settings, n, shown, model, quiet)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    import tyro

    run_command(tyro.conf.configure(tyro.conf.PositionalRequiredArgs)(command), PROG, argv)
