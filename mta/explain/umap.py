"""`python -m mta.explain umap`: what layers make of patches, in two dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_prep.console import require_seed, say
from data_prep.console import run as run_command
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    from mta.explain.opening import Subject

PROG = "python -m mta.explain umap"
ROLES = ("internal_test", "external_test")


def umap(
    runs: Sequence[str | Path],
    out: str | Path = "",
    layers: Sequence[str] = (),
    concepts: Sequence[str] = (),
    concept_file: str = "",
    model: Literal["best", "last"] = "best",
    patches: int = 1500,
    neighbors: int = 15,
    distance: float = 0.1,
    seed: int = 0,
    quiet: bool = False,
) -> pd.DataFrame:
    """Lay out the test patches by chosen layers and write `umap.csv`, `umap.png` and the page `umap.html`.

    Args:
        runs: run folders; several are laid out in one fit, which needs layers of one width.
        out: folder for the results; default RUN/explain/umap, to be named for several runs.
        layers: names; default the last layer that all heads share. Each is a fit of its own.
        concepts: to color by; default all that are known of the store.
        concept_file: their table; default that of the first run with one, else the store's own.
        model: the epoch with the best monitored loss, or the last.
        patches: at most so many, drawn from the test rows.
        neighbors: of UMAP: how many points make a neighborhood.
        distance: of UMAP: how close points may lie.
        seed: of the choice of patches and the layout.
        quiet: no progress bar.

    Returns:
        The table in `umap.csv`: `run, layer, row, x, y, patient, slide, centre, role, class`, then the concepts.

    Raises:
        InputError: for bad input, before anything is written; also where umap-learn is not installed.
    """
    from mta.explain.embedding import require_umap
    from mta.explain.layers import features_layer
    from mta.explain.opening import named_layers, open_subjects, results_folder
    from mta.explain.umap_output import write_umap

    require_umap()
    _require(patches, neighbors, distance, seed)
    folder = results_folder(runs, str(out), "umap")
    subjects = open_subjects(runs, model, concepts or None, concept_file)
    rows = _rows(subjects[0], patches, seed)
    names = list(layers) or [features_layer(subjects[0].trained.model)]
    for subject in subjects:
        names = named_layers(subject, names)
    table = _table(subjects, rows, _points(subjects, rows, names, neighbors, distance, seed, quiet))
    write_umap(folder, table, subjects, rows, model)
    if not quiet:
        say(f"{folder}: umap.csv, umap.png, umap.html ({len(rows)} patches, {', '.join(names)})")
    return table


def _require(patches: int, neighbors: int, distance: float, seed: int) -> None:
    if patches < 3 or neighbors < 2:
        raise InputError("--patches takes 3 or more, --neighbors 2 or more")
    if not 0 <= distance <= 1:
        raise InputError(f"--distance {distance}: give 0 to 1")
    require_seed(seed)


def _rows(subject: Subject, patches: int, seed: int) -> np.ndarray:
    import numpy as np

    found = subject.data.of(*ROLES)
    if not len(found):
        raise InputError(f"{subject.trained.path}: no row has a test role; there is nothing to lay out")
    return np.sort(np.random.default_rng(seed).permutation(found)[:patches])


def _points(
    subjects: Sequence[Subject],
    rows: np.ndarray,
    names: Sequence[str],
    neighbors: int,
    distance: float,
    seed: int,
    quiet: bool,
) -> dict[str, dict[str, np.ndarray]]:
    """Layer -> run -> points (n, 2)."""
    from data_prep.console import progress
    from mta.explain.activations import activations
    from mta.explain.embedding import joint_embedding

    values = {subject.name: activations(subject, rows, names, quiet=quiet) for subject in subjects}
    placed = {}
    for name in progress(names, "layers laid out", quiet=quiet):
        placed[name] = joint_embedding({run: one[name] for run, one in values.items()}, name, neighbors, distance, seed)
    return placed


def _table(subjects: Sequence[Subject], rows: np.ndarray, placed: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    import pandas as pd

    from mta.explain.cohort import CLASSES

    data = subjects[0].data
    about = data.rows.iloc[rows][["patient", "slide", "centre"]].astype(str).reset_index(drop=True)
    about["role"] = data.roles[rows]
    about["class"] = [CLASSES.get(int(label), "") for label in data.labels[rows]]
    known = data.concepts.iloc[rows].reset_index(drop=True)
    parts = [
        pd.concat(
            [pd.DataFrame({"run": run, "layer": layer, "row": rows, "x": xy[:, 0], "y": xy[:, 1]}), about, known],
            axis=1,
        )
        for layer, by_run in placed.items()
        for run, xy in by_run.items()
    ]
    return pd.concat(parts, ignore_index=True)


def command(
    runs: tuple[str, ...],
    /,
    out: str = "",
    layers: tuple[str, ...] = (),
    concepts: tuple[str, ...] = (),
    concept_file: str = "",
    model: Literal["best", "last"] = "best",
    patches: int = 1500,
    neighbors: int = 15,
    distance: float = 0.1,
    seed: int = 0,
    quiet: bool = False,
) -> None:
    """Lay out test patches by what layers make of them: colored by class, centre and concepts, the patch on hover.

    Several runs are laid out in one fit and drawn side by side. Needs umap-learn.

    Args:
        runs: run folders, of one split of one store
        out: folder for the results (default RUN/explain/umap; needed for several runs)
        layers: names of layers (default: the last that all heads share)
        concepts: to color by (default: all that are known of the store)
        concept_file: table of the concepts (default: that of a run, or the store's own)
        model: the epoch with the best monitored loss, or the last
        patches: at most so many test patches
        neighbors: points that make a neighborhood
        distance: how close points may lie (0 to 1)
        seed: of the choice of patches and the layout
        quiet: no progress bar
    """
    start_quietly()
    umap(runs, out, layers, concepts, concept_file, model, patches, neighbors, distance, seed, quiet)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the command."""
    run_command(command, PROG, argv)
