"""`python -m mta.explain probe`: which concepts, classes and centres each layer holds, and which the logit uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_prep.console import run as run_command
from data_prep.console import say
from mta.backend import start_quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mta.explain.cohort import Cohort
    from mta.explain.opening import Subject
    from mta.explain.site import Settings

PROG = "python -m mta.explain probe"


def probe(
    runs: Sequence[str | Path],
    out: str | Path = "",
    layers: Sequence[str] = (),
    concepts: Sequence[str] = (),
    concept_file: str = "",
    model: Literal["best", "last"] = "best",
    patches: int = 5000,
    folds: int = 5,
    shuffles: int = 100,
    seed: int = 0,
    quiet: bool = False,
) -> pd.DataFrame:
    """Probe layers of one run, or of several on the same rows, and write `probe.csv`, `probe.json` and `probe.png`.

    Args:
        runs: run folders; what the later ones hold is compared with the first.
        out: folder for the results; default RUN/explain/probe, to be named for several runs.
        layers: names; default `mta.explain.layers.default_layers`.
        concepts: names; default all that are known of the store, whether a run was trained on them or not.
        concept_file: their table; default that of the first run with one, else the store's own.
        model: the epoch with the best monitored loss, or the last.
        patches: at most so many rows of each role.
        folds: of training patients, which choose the penalty of a probe.
        shuffles: of the targets, for the null.
        seed: of the choice of rows and the shuffles.
        quiet: no progress bar and no table.

    Returns:
        The table in `probe.csv`, columns as in `mta.explain.facts.Fact`.

    Raises:
        InputError: for bad input, before anything is written.
    """
    from mta.data.dataset import require_both_classes
    from mta.explain.cohort import TESTS, choose_cohort, probeable_concepts, with_control
    from mta.explain.facts import fact_table
    from mta.explain.layers import default_layers
    from mta.explain.opening import named_layers, open_subjects, results_folder
    from mta.explain.probing import probe_facts
    from mta.explain.sensitivity import require_tensorflow
    from mta.explain.site import Settings

    require_tensorflow()
    folder, settings = results_folder(runs, str(out), "probe"), Settings(folds, shuffles, seed)
    subjects = open_subjects(runs, model, concepts or None, concept_file)
    data = subjects[0].data
    cohort = with_control(choose_cohort(data, ("train", *TESTS), patches, seed), data, seed)
    require_both_classes(data, "train", *cohort.tests)
    names = probeable_concepts(cohort, bool(concepts), folds)
    chosen = {
        subject.name: named_layers(subject, layers or default_layers(subject.trained.model)) for subject in subjects
    }
    table = fact_table(probe_facts(subjects, chosen, cohort, names, settings, quiet))
    _write(folder, table, subjects, chosen, cohort, names, settings, model)
    if not quiet:
        _print(table, folder)
    return table


def _write(
    folder: Path,
    table: pd.DataFrame,
    subjects: Sequence[Subject],
    chosen: dict[str, list[str]],
    cohort: Cohort,
    names: Sequence[str],
    settings: Settings,
    model: str,
) -> None:
    from dataclasses import asdict

    from data_prep.claims import claimed
    from data_prep.files import replacing, write_json
    from mta.explain.probe_figure import probe_figure

    runs = {
        subject.name: {
            "path": str(subject.trained.path),
            "model": model,
            "layers": chosen[subject.name],
            "trained_on": list(subject.trained.config.concepts),
        }
        for subject in subjects
    }
    counts = {role: int(cohort.of(role).sum()) for role in ("train", *cohort.tests)}
    about = {"runs": runs, "concepts": list(names), "rows": counts, **asdict(settings)}
    with claimed(folder):
        with replacing(folder / "probe.csv") as temporary:
            table.to_csv(temporary, index=False)
        write_json(folder / "probe.json", about)
        probe_figure(table, folder / "probe.png")


def _print(table: pd.DataFrame, folder: Path) -> None:
    """The deepest layer of each run: what it holds."""
    main = {"tumor": "auc", "centre": "balanced_accuracy"}
    shown = table[table["measure"] == table["target"].map(main).fillna("r2")]
    heads = f"{'run':<16} {'layer':<16} {'target':<20} {'role':<14} {'measure':<18}"
    say(f"{heads}  value  95 % interval     shuffled       p")
    for run, part in shown.groupby("run", sort=False):
        for row in part[part["layer"] == part["layer"].iloc[-1]].to_dict("records"):
            cells = f"{run:<16} {row['layer']:<16} {row['target']:<20} {row['role']:<14} {row['measure']:<18}"
            interval = f"[{row['low']:.3f}, {row['high']:.3f}]"
            say(f"{cells} {row['value']:6.3f}  {interval:<17} <{row['null_high']:7.3f} {row['p']:7.3f}")
    say(f"{folder}: probe.csv, probe.json, probe.png")


def command(
    runs: tuple[str, ...],
    /,
    out: str = "",
    layers: tuple[str, ...] = (),
    concepts: tuple[str, ...] = (),
    concept_file: str = "",
    model: Literal["best", "last"] = "best",
    patches: int = 5000,
    folds: int = 5,
    shuffles: int = 100,
    seed: int = 0,
    quiet: bool = False,
) -> None:
    """Probe layers: R2 of every concept, accuracy of class and centre on held-out patients, use by the tumor logit.

    Probes are fitted to training patients and scored on test patients, beside the same probes of shuffled targets and
    a random concept. Several runs are put side by side, and their R2 compared with that of the first.

    Args:
        runs: run folders, of one split of one store
        out: folder for the results (default RUN/explain/probe; needed for several runs)
        layers: names of layers (default: three of the trunk, pooled features, each dense layer)
        concepts: names of concepts (default: all that are known of the store)
        concept_file: table of the concepts (default: that of a run, or the store's own)
        model: the epoch with the best monitored loss, or the last
        patches: at most so many rows of each role
        folds: of training patients, which choose the penalty of a probe
        shuffles: of the targets, for the null
        seed: of the choice of rows and the shuffles
        quiet: no progress bar and no table
    """
    start_quietly()
    probe(runs, out, layers, concepts, concept_file, model, patches, folds, shuffles, seed, quiet)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the command."""
    run_command(command, PROG, argv)
