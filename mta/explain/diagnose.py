"""`python -m mta.explain diagnose`: did the adversary do its work?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.console import run as run_command
from data_prep.console import say
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mta.explain.cohort import Cohort
    from mta.explain.opening import Subject
    from mta.explain.site import Settings, Site

PROG = "python -m mta.explain diagnose"
ROLES = ("train", "validation", "internal_test", "external_test")
SAMPLE = 512
"""Training rows whose gradients are computed."""


def diagnose(
    run: str | Path,
    out: str | Path = "",
    layers: Sequence[str] = (),
    model: Literal["best", "last"] = "best",
    patches: int = 5000,
    folds: int = 5,
    shuffles: int = 100,
    seed: int = 0,
    quiet: bool = False,
) -> dict[str, Any]:
    """Measure what is left of the centre in a run, and how its adversary was trained.

    Args:
        run: run folder, with an adversary or without.
        out: folder for the results; default RUN/explain/diagnose.
        layers: names; default the pooled features (or standardized embeddings) and the last layer that all heads share.
        model: the epoch with the best monitored loss, or the last.
        patches: at most so many rows of each role.
        folds: of training patients, which choose the penalty of a probe.
        shuffles: of the centres, for the null.
        seed: of the choice of rows and the shuffles.
        quiet: no progress bar and no table.

    Returns:
        The contents of `diagnose.json`: `domain` (fresh probes), `head` (the model's own), `a_distance`, `history`,
        `gradients`. Beside it `diagnose.png` is written.

    Raises:
        InputError: for bad input, before anything is written; also when the training rows are of one centre, or no
            held-out row is of theirs.
    """
    from data_prep.claims import claimed
    from data_prep.files import write_json
    from mta.evaluation.summary import jsonable
    from mta.explain.cohort import choose_cohort, held_out
    from mta.explain.diagnose_figure import diagnose_figure
    from mta.explain.opening import open_subjects, results_folder
    from mta.explain.sensitivity import require_tensorflow
    from mta.explain.site import Settings

    require_tensorflow()
    folder, settings = results_folder([run], str(out), "diagnose"), Settings(folds, shuffles, seed)
    (subject,) = open_subjects([run], model)
    cohort = held_out(choose_cohort(subject.data, ROLES, patches, seed))
    _require_centres(subject, cohort)
    found = jsonable(_measure(subject, cohort, layers, settings, quiet))
    with claimed(folder):
        write_json(folder / "diagnose.json", found)
        diagnose_figure(found, folder / "diagnose.png")
    if not quiet:
        _print(found, folder)
    return found


def _require_centres(subject: Subject, cohort: Cohort) -> None:
    from mta.explain.domain import of_training_centres

    centres = set(cohort.centres[cohort.of("train")]) - {""}
    if len(centres) < 2:
        raise InputError(
            f"{subject.trained.path}: its training rows come from {len(centres)} known centre; to be told apart takes "
            "two or more"
        )
    if not of_training_centres(cohort).any():
        raise InputError(
            f"{subject.trained.path}: no validation or internal test row is of a training centre; split by patient"
        )


def _measure(
    subject: Subject, cohort: Cohort, layers: Sequence[str], settings: Settings, quiet: bool
) -> dict[str, Any]:
    from data_prep.console import progress
    from mta.explain.domain import distances, domain_probes
    from mta.explain.trajectory import trajectory

    sites = _sites(subject, cohort, layers, quiet)
    labelled = progress(sites, "layers diagnosed", quiet=quiet)
    probes = [(list(domain_probes(site, settings)), list(distances(site, settings.folds))) for site in labelled]
    history = trajectory(subject.trained)
    return {
        "run": str(subject.trained.path),
        "model": subject.trained.which,
        "epoch": history["model_epoch"],
        "rows": {role: int(cohort.of(role).sum()) for role in ("train", *cohort.tests)},
        "domain": [one for domain, _ in probes for one in domain],
        "head": _head(subject, cohort),
        "a_distance": [one for _, pairs in probes for one in pairs],
        "history": history,
        "gradients": _gradients(subject, cohort, history, settings.seed),
    }


def _sites(subject: Subject, cohort: Cohort, named: Sequence[str], quiet: bool) -> list[Site]:
    from mta.explain.activations import activations
    from mta.explain.layers import features_layer, trunk_features
    from mta.explain.opening import named_layers
    from mta.explain.site import Site

    model = subject.trained.model
    layers = named_layers(subject, named or dict.fromkeys([trunk_features(model), features_layer(model)]))
    values = activations(subject, cohort.rows, layers, quiet=quiet)
    return [Site(subject.name, layer, cohort, values[layer], None) for layer in layers]


def _head(subject: Subject, cohort: Cohort) -> dict[str, Any] | None:
    """How well the model's own domain head tells the centre of the same held-out rows; None where there is none."""
    import numpy as np

    from mta.explain.clustered import accuracies
    from mta.explain.cohort import HELD_OUT

    centres = subject.trained.coding.centres
    tested = cohort.of(HELD_OUT) & np.isin(cohort.centres, centres)
    if not tested.any():
        return None
    told = subject.trained.predict(subject.data.patches, cohort.rows[tested])["domain"].to_numpy(str)
    rates = accuracies(cohort.centres[tested], told, cohort.patients[tested])
    return {name: value for name, (value, _) in rates.items()} | {
        f"{name}_interval": list(interval) for name, (_, interval) in rates.items()
    }


def _gradients(subject: Subject, cohort: Cohort, history: dict[str, Any], seed: int) -> dict[str, Any]:
    import numpy as np

    from mta.explain.pulls import pulls

    training = cohort.rows[cohort.of("train")]
    return pulls(subject, np.sort(np.random.default_rng(seed).permutation(training)[:SAMPLE]), history)


def _print(found: dict[str, Any], folder: Path) -> None:
    say(f"{'layer':<16} {'probe':<10} balanced accuracy of the centre       chance  class alone")
    for one in found["domain"]:
        low, high = ("–" if end is None else f"{end:.3f}" for end in one["balanced_accuracy_interval"])
        cells = f"{one['balanced_accuracy']:.3f} [{low}, {high}]"
        say(f"{one['layer']:<16} {one['probe']:<10} {cells:<37} {one['chance']:.3f}   {one['by_class']:.3f}")
    if found["head"]:
        say(f"{'':<16} {'own head':<10} {found['head']['balanced_accuracy']:.3f}")
    say(f"{folder}: diagnose.json, diagnose.png")


def command(
    run: str,
    /,
    out: str = "",
    layers: tuple[str, ...] = (),
    model: Literal["best", "last"] = "best",
    patches: int = 5000,
    folds: int = 5,
    shuffles: int = 100,
    seed: int = 0,
    quiet: bool = False,
) -> None:
    """Tell whether the adversary did its work: centres that fresh probes still find, distances, training, gradients.

    Args:
        run: run folder, with an adversary or without
        out: folder for the results (default RUN/explain/diagnose)
        layers: names of layers (default: pooled features, and the last layer that all heads share)
        model: the epoch with the best monitored loss, or the last
        patches: at most so many rows of each role
        folds: of training patients, which choose the penalty of a probe
        shuffles: of the centres, for the null
        seed: of the choice of rows and the shuffles
        quiet: no progress bar and no table
    """
    start_quietly()
    diagnose(run, out, layers, model, patches, folds, shuffles, seed, quiet)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the command."""
    run_command(command, PROG, argv)
