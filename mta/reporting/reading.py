"""The files of runs, read and found fit to be reported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import ROLES
from mta.data.coding import coding_from_json
from mta.evaluation import read_predictions
from mta.reporting.evidence import Evidence
from mta.reporting.fitness import require_patients, require_tests
from mta.reporting.other_data import read_other_data
from mta.reporting.pooled import pooled
from mta.run_folder import RunFolder
from mta.trained import finished_run

# Of run.json, what the page takes apart.
_KINDS: dict[str, type] = {"git": dict, "packages": dict, "inputs": dict, "command": list, "leaks": list, "mpp": float}


def read_runs(runs: Sequence[str | Path]) -> list[Evidence]:
    """The runs in the folders `runs`, under names that tell them apart.

    Raises `InputError` where one is not finished, not evaluated, damaged, named twice, or where its predictions give no
    measure: not finite, one class or one patient only.
    """
    paths = [Path(run).resolve() for run in runs]
    if doubled := [path for path in paths if paths.count(path) > 1]:
        raise InputError(f"{doubled[0]}: named twice; a run is not compared with itself")
    found = [_read_any(RunFolder(run), name) for run, name in zip(runs, _names(paths), strict=True)]
    for run in found:
        require_patients(run.predictions, run.folder.file("predictions.csv"))
    return found


def _names(paths: list[Path]) -> list[str]:
    """The folders' names, with those above them where these are alike."""
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _read_any(folder: RunFolder, name: str) -> Evidence:
    config = folder.config()
    return _read_folds(folder, name) if config.folds and config.fold < 0 else _read(finished_run(folder.path), name)


def _read_folds(folder: RunFolder, name: str) -> Evidence:
    """A cross-validated run with its folds, each of which may test a single patient."""
    if folder.standing() != "finished":
        raise InputError(f"{folder.path}: not all folds are finished; run the same train command again")
    numbers = range(folder.config().folds)
    folds = [_read(finished_run(folder.file(f"fold-{number}")), f"{name}/fold-{number}") for number in numbers]
    for fold in folds:
        require_tests(fold.predictions, fold.folder.file("predictions.csv"))
    predictions = read_predictions(folder.file("predictions.csv"))
    return pooled(folder, name, _record(folder), folds, predictions, _by_fold(folder, len(folds)))


def _by_fold(folder: RunFolder, count: int) -> pd.DataFrame:
    table = _table(folder, "folds.csv")
    if missing := [column for column in ("fold", "auc", "accuracy") if column not in table]:
        raise InputError(f"{folder.file('folds.csv')}: damaged (no column {', '.join(missing)}); train again")
    if len(table) != count:
        raise InputError(f"{folder.file('folds.csv')}: damaged ({len(table)} lines for {count} folds); train again")
    return table.apply(pd.to_numeric, errors="coerce")


def _read(folder: RunFolder, name: str) -> Evidence:
    predictions = read_predictions(folder.file("predictions.csv"))
    evaluated = folder.read("evaluation.json") if folder.file("evaluation.json").exists() else {}
    coding = coding_from_json(folder.read("labels.json"))
    record, split, history = _record(folder), _split(folder), _history(folder)
    return Evidence(
        name, folder, folder.config(), record, coding, split, predictions, history, evaluated, read_other_data(folder)
    )


def _record(folder: RunFolder) -> dict[str, Any]:
    record = folder.record()
    for name, kind in _KINDS.items():
        if not isinstance(record.get(name) or kind(), (kind, int) if kind is float else kind):
            raise InputError(f"{folder.file('run.json')}: damaged ({name} is no {kind.__name__}); train again")
    for name, prints in (record.get("inputs") or {}).items():
        if not (isinstance(prints, list) and all(isinstance(one, str) for one in prints)):
            raise InputError(f"{folder.file('run.json')}: damaged (inputs of {name} are no texts); train again")
    return record


def _history(folder: RunFolder) -> pd.DataFrame:
    history = _table(folder, "history.csv")
    if "epoch" not in history:
        raise InputError(f"{folder.file('history.csv')}: damaged (no column epoch); train again")
    return history.apply(pd.to_numeric, errors="coerce")


def _split(folder: RunFolder) -> pd.DataFrame:
    split = _table(folder, "split.csv", dtype=str, keep_default_na=False)
    if missing := [column for column in ("row", "patient", "slide", "centre", "role") if column not in split]:
        raise InputError(f"{folder.file('split.csv')}: damaged (no column {', '.join(missing)}); train again")
    if not split["row"].str.fullmatch("[0-9]{1,15}").all():
        raise InputError(f"{folder.file('split.csv')}: damaged (a row without a number); train again")
    if unknown := sorted(set(split["role"]) - {*ROLES, ""}):
        raise InputError(f"{folder.file('split.csv')}: damaged (no role is called {unknown[0]!r}); train again")
    return split


def _table(folder: RunFolder, name: str, **options: Any) -> pd.DataFrame:
    path = folder.file(name)
    try:
        return pd.read_csv(path, encoding="utf-8", **options)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: missing or damaged ({error}); train again with --overwrite") from error
