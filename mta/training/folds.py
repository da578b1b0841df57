"""Patient-disjoint cross-validation: one run a fold, one table at the end."""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from data_prep.console import say
from data_prep.files import replacing, write_json
from mta.config import TrainConfig
from mta.data.dataset import open_dataset, require_both_classes
from mta.evaluate import evaluate, write_evaluation
from mta.evaluation import read_predictions
from mta.provenance import input_fingerprints, now, provenance
from mta.run_folder import RunFolder
from mta.training.loop import make_ready
from mta.training.setup import roles_of_folds

TESTED = "internal_test"


def cross_validate(config: TrainConfig, folder: RunFolder, quiet: bool, overwrite: bool = False) -> None:
    """Train and evaluate every fold of `config` in `folder/fold-K`.

    Each patch is in the test of one fold, but for those kept for the external test, which every fold is measured on
    and which are not pooled. `folds.csv` has a line for each fold; `predictions.csv` and
    `metrics.json` pool the test predictions of all folds. Finished folds are not trained again, unless `overwrite`
    removes them all first.

    Raises:
        InputError: for bad input.
    """
    from mta.train import train_config

    _require_classes(config)
    if overwrite or folder.standing() == "new":
        _begin(config, folder, overwrite)
    for fold in range(config.folds):
        if not quiet:
            say(f"fold {fold + 1} of {config.folds}")
        keras.utils.clear_session()  # a network a fold would pile up in Keras' global state
        path = folder.path / f"fold-{fold}"
        train_config(dataclasses.replace(config, fold=fold, out=str(path)), quiet=quiet)
        if not (path / "metrics.json").exists():
            evaluate(path, quiet=True)
    _summarize(config, folder, quiet)
    write_json(folder.file("run.json"), {**folder.record(), "finished": now()})


def _begin(config: TrainConfig, folder: RunFolder, overwrite: bool) -> None:
    """Mark `folder` as that of a run, once the first fold is known to be sound: bad input costs and leaves nothing."""
    setup, _, feed = make_ready(dataclasses.replace(config, fold=0))
    feed.inputs.close()
    setup.data.patches.close()
    if overwrite:
        folder.clear()
    write_json(folder.file("run.json"), {**provenance(), "inputs": input_fingerprints(config)})
    folder.write_config(config)


def _require_classes(config: TrainConfig) -> None:
    """Refuse folds without a class before the first is trained, not when their turn comes."""
    data = open_dataset(config.store, (), "", config.seed)
    for roles in roles_of_folds(data, config):
        data.roles = roles
        require_both_classes(data, "train", "validation", TESTED, "external_test")
    data.patches.close()


def _summarize(config: TrainConfig, folder: RunFolder, quiet: bool) -> None:
    paths = [folder.path / f"fold-{fold}" for fold in range(config.folds)]
    table = pd.DataFrame([{"fold": fold, **_line(path)} for fold, path in enumerate(paths)])
    with replacing(folder.file("folds.csv")) as temporary:
        table.to_csv(temporary, index=False)
    every = pd.concat([read_predictions(path / "predictions.csv") for path in paths], ignore_index=True)
    tested = every[every["role"] == TESTED].sort_values("row", ignore_index=True)
    write_evaluation(folder.path, tested, ())
    if not quiet:
        auc = table["auc"]
        say(f"{folder.path}: AUC {auc.mean():.3f} over {config.folds} folds ({auc.min():.3f} to {auc.max():.3f})")


def _line(path: Path) -> dict[str, Any]:
    metrics = RunFolder(path).read("metrics.json")[TESTED]
    concepts = {f"r2_{name}": values["r2"] for name, values in metrics["concepts"].items()}
    return {"auc": metrics["tumor"]["auc"], "accuracy": metrics["tumor"]["accuracy"], **concepts}
