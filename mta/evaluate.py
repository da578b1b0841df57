"""`python -m mta.evaluate`: measure a trained run."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.console import run as run_command
from data_prep.console import say
from data_prep.errors import InputError
from mta.backend import start_quietly

if TYPE_CHECKING:
    import pandas as pd

    from mta.data.dataset import Dataset
    from mta.trained import Trained

PROG = "python -m mta.evaluate"
TESTED = ("validation", "internal_test", "external_test")


def evaluate(
    run: str | Path,
    data: str | Path | None = None,
    out: str | Path | None = None,
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
    concept_file: str | Path | None = None,
) -> dict[str, Any]:
    """Measure a run on its own validation and test rows, or on other data.

    Args:
        run: run folder.
        data: another patch store (or table of embeddings), or several as "name=path,name=path"; its rows serve in the
            role they have, or as external test. Default: the run's own store, with the split of the run.
        out: folder for the results; default the run folder, or RUN/evaluation-NAME for other data.
        model: the epoch with the best monitored loss, or the last.
        quiet: no progress bar.
        concept_file: table of the concepts of `data`; default: those in that store.

    Returns:
        The contents of `metrics.json`. Beside it `predictions.csv`, `roc.png`, `evaluation.json` (what was measured
        on what) and, for the run's own data, `history.png` are written.

    Raises:
        InputError: for bad input, before anything is written; also when the run's own store has changed since
            training, or is named as other data.
    """
    from data_prep.claims import claimed
    from data_prep.files import write_json
    from mta.cautions import warn_of_few_patients
    from mta.data.dataset import require_both_classes
    from mta.trained import load_run

    trained = load_run(run, model)
    dataset = _dataset(trained, str(data) if data else None, str(concept_file or ""))
    require_both_classes(dataset, *TESTED)
    description = {"run": str(trained.folder.path), "model": model, **_about(trained, dataset)}
    if concept_file:
        description["concept_file"] = str(concept_file)
    folder = Path(out) if out else _folder(trained, data, description["fingerprints"])
    with claimed(folder):
        metrics = write_evaluation(folder, _predict(trained, dataset, quiet), trained.coding.centres)
        write_json(folder / "evaluation.json", description)
        if not data:
            _draw_history(trained)
    warn_of_few_patients(metrics)
    if not quiet:
        _print(metrics, folder)
    return metrics


def write_evaluation(folder: Path, predictions: pd.DataFrame, centres: tuple[str, ...]) -> dict[str, Any]:
    """Write `predictions.csv`, `metrics.json` and `roc.png` to `folder`; returns the metrics."""
    from data_prep.files import replacing, write_json
    from mta.evaluation import roc_figure, summarize

    with replacing(folder / "predictions.csv") as temporary:
        predictions.to_csv(temporary, index=False)
    metrics = summarize(predictions, centres)
    write_json(folder / "metrics.json", metrics)
    roc_figure(predictions, folder / "roc.png", metrics)
    return metrics


def _dataset(trained: Trained, data: str | None, concept_file: str) -> Dataset:
    import numpy as np

    from mta.data.dataset import open_dataset
    from mta.data.opening import require_shape

    config = trained.config
    if data is None:
        if concept_file:
            raise InputError(
                f"--concept-file {concept_file}: is for --data; the run's own store keeps its own concepts"
            )
        return trained.own_data(config.concepts, config.concept_file)
    _require_other(trained, data)
    # The run's concept table numbers the rows of its own store.
    dataset = open_dataset(
        data, config.concepts, concept_file, config.seed, trained.stored_channels, bool(concept_file)
    )
    require_shape(dataset.patches, trained.shape)
    dataset.roles = np.where(dataset.roles == "", "external_test", dataset.roles)
    if not len(dataset.of(*TESTED)):
        raise InputError(f"{data}: every row has the role train; there is nothing to test on")
    return dataset


def _require_other(trained: Trained, data: str) -> None:
    from data_prep.store.opening import parse_spec
    from mta.provenance import fingerprint

    for path in [path for _, path in parse_spec(data) if path.is_file()]:
        if fingerprint(path) in trained.trained_on:
            raise InputError(
                f"{path}: this is the run's own store; leave --data out to measure it with the run's split"
            )


def _about(trained: Trained, dataset: Dataset) -> dict[str, Any]:
    """What was measured: the store, its fingerprints, and how many tested patients were trained on."""
    from mta.cautions import warn_of_shared_patients
    from mta.provenance import store_fingerprints

    return {
        "data": dataset.name,
        "fingerprints": store_fingerprints(dataset.name),
        "shared_patients": warn_of_shared_patients(trained, dataset, dataset.of(*TESTED)),
    }


def _predict(trained: Trained, dataset: Dataset, quiet: bool) -> pd.DataFrame:
    rows = dataset.of(*TESTED)
    table = trained.predict(dataset.patches, rows, quiet)
    table.insert(4, "role", dataset.roles[rows])
    table.insert(5, "label", dataset.labels[rows])
    for name in trained.coding.scales:
        true = dataset.concepts[name].to_numpy(float)[rows]
        table.insert(table.columns.get_loc(name) + 1, f"{name}_true", true)
    return table


def _folder(trained: Trained, data: str | Path | None, fingerprints: list[str]) -> Path:
    """The run's own folder, or one for other data, numbered where its name is taken by different files."""
    from data_prep.store.opening import parse_spec
    from mta.run_folder import RunFolder

    if not data:
        return trained.folder.path
    name = "evaluation-" + "-".join(name for name, _ in parse_spec(data))
    for number in itertools.count(1):
        folder = RunFolder(trained.folder.file(name if number == 1 else f"{name}-{number}"))
        taken = folder.file("evaluation.json").exists()
        if not taken or folder.read("evaluation.json").get("fingerprints") == fingerprints:
            break
    return folder.path


def _draw_history(trained: Trained) -> None:
    import pandas as pd

    from mta.evaluation import history_figure

    history = pd.read_csv(trained.folder.file("history.csv"))
    history_figure(history, trained.folder.file("history.png"))


def _print(metrics: dict[str, Any], folder: Path) -> None:
    say(f"{'role':<14} {'AUC':>6} {'95 % interval':>16}  patients  patches    ECE   sens   spec  concepts R2")
    for role, values in metrics.items():
        tumor, point, ece = values["tumor"], values["operating_point"], values["calibration"]["ece"]
        concepts = "  ".join(f"{name} {_number(v['r2'])}" for name, v in values["concepts"].items())
        interval = " to ".join(map(_number, tumor["auc_interval"]))
        decided = " ".join(f"{_number(v):>6}" for v in (ece, point["sensitivity"], point["specificity"]))
        counts = f"{tumor['n_patients']:>9} {tumor['n']:>8}"
        say(f"{role:<14} {_number(tumor['auc']):>6} {interval:>16} {counts} {decided}  {concepts}")
    say(f"{folder}: predictions.csv, metrics.json, roc.png")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def command(
    run: str,
    data: str = "",
    out: str = "",
    model: Literal["best", "last"] = "best",
    quiet: bool = False,
    concept_file: str = "",
) -> None:
    """Measure a trained run: AUC with patient-clustered 95 % intervals, concepts, domain, ROC curves.

    Args:
        run: run folder
        data: another patch store to test on (default: the run's own, with its split)
        out: folder for the results (default: the run folder, or RUN/evaluation-NAME for other data)
        model: the epoch with the best monitored loss, or the last
        quiet: no progress bar and no table
        concept_file: table of the concepts of --data (default: those in that store)
    """
    start_quietly()
    evaluate(run, data or None, out or None, model, quiet, concept_file or None)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    import tyro

    run_command(tyro.conf.configure(tyro.conf.PositionalRequiredArgs)(command), PROG, argv)


if __name__ == "__main__":
    main()
