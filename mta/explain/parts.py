"""`python -m mta.explain parts`: parts of a layer that mean the same in every patch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_prep.console import require_seed, say
from data_prep.console import run as run_command
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mta.explain.nmf import Scan
    from mta.explain.opening import Subject
    from mta.explain.part_measuring import PartNetwork, PartSettings

PROG = "python -m mta.explain parts"


def parts(
    run: str | Path,
    out: str | Path = "",
    layer: str = "",
    heads: Sequence[str] = (),
    settings: PartSettings | None = None,
    slides: Sequence[str] = (),
    mpp: float | None = None,
    model: Literal["best", "last"] = "best",
    quiet: bool = True,
) -> pd.DataFrame:
    """Split what a layer says into parts, and measure what each is, where it lies and what it does.

    Args:
        run: run folder, on images.
        out: folder for the results; default RUN/explain/parts.
        layer: after a ReLU, with a map; default the last of the trunk.
        heads: whose importance is measured; default all.
        settings: how parts are found.
        slides: to be mapped at full extent.
        mpp: micrometres a pixel of the training patches, for slides, where the run does not say.
        model: the epoch with the best monitored loss, or the last.
        quiet: no progress bar.

    Returns:
        The table `parts.csv` (`mta.explain.part_tables.parts_table`). Beside it `selection.csv`, `parts.npz`
        (`components` (K, C), `layer`, `agreement`), `exemplars.png`, `maps.png`, `stability.png` and for each slide a
        folder are written.

    Raises:
        InputError: for bad input, before any result is written.
    """
    from data_prep.claims import claimed
    from mta.explain.opening import open_subjects, results_folder
    from mta.explain.part_measuring import PartSettings, find_parts
    from mta.explain.part_output import write_parts
    from mta.explain.part_slides import map_slide, require_slides

    folder = results_folder([run], str(out), "parts")
    settings = settings or PartSettings()
    [subject] = open_subjects([run], model)
    network = _network(subject, layer, heads)
    require_slides(slides, subject.trained, mpp)
    with claimed(folder):
        chosen, scans = find_parts(network, settings, folder, quiet)
        table = write_parts(folder, network, chosen, scans, settings, quiet)
        for slide in slides:
            map_slide(folder, network, chosen.parts, slide, mpp, quiet)
    if not quiet:
        _say(table, chosen, network, folder)
    return table


def _network(subject: Subject, layer: str, heads: Sequence[str]) -> PartNetwork:
    from mta.explain.part_measuring import PartNetwork

    try:
        return PartNetwork(subject, layer, heads)
    except InputError as error:
        raise InputError(f"{subject.trained.path}: {error}") from error


def _say(table: pd.DataFrame, chosen: Scan, network: PartNetwork, folder: Path) -> None:
    say(
        f"{chosen.count} parts of {network.layer}: error {chosen.error:.3f}, agreement of starts {chosen.stability:.3f}"
    )
    facts = table.set_index(["part", "measure", "head"])["value"].sort_index()
    first = network.heads[0]
    say(f"{'part':>4} {'share':>6}  importance for {first:<8} Grad-CAM  on nuclei")
    for part in range(1, chosen.count + 1):
        numbers = [facts.get((part, *key), float("nan")) for key in (("share", ""), ("importance", first))]
        others = [facts.get((part, *key), float("nan")) for key in (("gradcam", first), ("nuclei", ""))]
        say(f"{part:>4} {numbers[0]:>6.3f}  {numbers[1]:>+22.3f} {others[0]:>+9.2f} {others[1]:>10.3f}")
    for row in table[table["part"] == "all"].itertuples():
        say(f"{row.measure}: {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]")
    say(f"{folder}: parts.csv, selection.csv, parts.npz, exemplars.png, maps.png, stability.png")


def command(
    run: str,
    out: str = "",
    layer: str = "",
    heads: tuple[str, ...] = (),
    counts: tuple[int, ...] = (2, 3, 4, 5, 6, 8, 10, 12),
    starts: int = 4,
    patches: int = 1000,
    positions: int = 16,
    slides: tuple[str, ...] = (),
    mpp: float | None = None,
    seed: int = 0,
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
) -> None:
    """Split what a layer says into parts that mean the same in every patch, and measure what each does.

    Non-negative matrix factorization of activations after a ReLU. Writes parts.csv, selection.csv, parts.npz,
    exemplars.png, maps.png, stability.png, and a folder for each slide.

    Args:
        run: run folder, on images
        out: folder for the results (default: RUN/explain/parts)
        layer: with a map, after its ReLU (default: the last of the trunk)
        heads: tumor, domain, concepts, whose importance is measured (default: all)
        counts: numbers of parts to choose from by error and stability; one number is taken as it is
        starts: random starts of each number
        patches: training patches to take activations of, and at most as many test patches measured
        positions: activation vectors of each patch
        slides: whole slides to draw the parts of at full extent
        mpp: slides: micrometres a pixel of the training patches, where the run does not say
        seed: of every choice
        model: the epoch with the best monitored loss, or the last
        quiet: no progress bar and no table
    """
    require_seed(seed)
    start_quietly()
    from mta.explain.part_measuring import PartSettings

    settings = PartSettings(counts, starts, patches, positions, seed)
    parts(run, out, layer, heads, settings, slides, mpp, model, quiet)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    import tyro

    run_command(tyro.conf.configure(tyro.conf.PositionalRequiredArgs)(command), PROG, argv)
