"""What a run left behind, read and found fit to be reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import ROLES, patient_keys
from mta.config import TrainConfig
from mta.data.coding import coding_from_json
from mta.data.dataset import Coding
from mta.evaluation import read_predictions, summarize
from mta.evaluation.checks import labelled, require_two_patients
from mta.run_folder import RunFolder
from mta.trained import finished_run

TESTS = ("internal_test", "external_test")
# Of run.json, what the page takes apart.
_KINDS: dict[str, type] = {"git": dict, "packages": dict, "inputs": dict, "command": list, "leaks": list, "mpp": float}


@dataclass(frozen=True)
class Evidence:
    """A finished and evaluated run.

    `name`: how the page calls it. `record`: `run.json`. `split`: `row, patient, slide, centre, role` of the whole
    store. `predictions`: as `read_predictions` gives them. `history`: one row an epoch. `evaluated`: `evaluation.json`.
    """

    name: str
    folder: RunFolder
    config: TrainConfig
    record: dict[str, Any]
    coding: Coding
    split: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    evaluated: dict[str, Any]

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What `summarize` makes of the predictions."""
        return summarize(self.predictions, self.coding.centres)

    @property
    def tests(self) -> list[str]:
        """The test roles that have predictions."""
        return [role for role in TESTS if (self.predictions["role"] == role).any()]

    def part(self, role: str) -> pd.DataFrame:
        """The predictions of one role."""
        return self.predictions[self.predictions["role"] == role].reset_index(drop=True)


def read_runs(runs: Sequence[str | Path]) -> list[Evidence]:
    """The runs in the folders `runs`, under names that tell them apart.

    Raises `InputError` where one is not finished, not evaluated, damaged, named twice, or where its predictions give no
    measure: not finite, one class or one patient only.
    """
    paths = [Path(run).resolve() for run in runs]
    if doubled := [path for path in paths if paths.count(path) > 1]:
        raise InputError(f"{doubled[0]}: named twice; a run is not compared with itself")
    return [_read(finished_run(run), name) for run, name in zip(runs, _names(paths), strict=True)]


def _names(paths: list[Path]) -> list[str]:
    """The folders' names, with those above them where these are alike."""
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _read(folder: RunFolder, name: str) -> Evidence:
    predictions = read_predictions(folder.file("predictions.csv"))
    _require_measurable(predictions, folder.file("predictions.csv"))
    evaluated = folder.read("evaluation.json") if folder.file("evaluation.json").exists() else {}
    coding = coding_from_json(folder.read("labels.json"))
    record, split, history = _record(folder), _split(folder), _history(folder)
    return Evidence(name, folder, folder.config(), record, coding, split, predictions, history, evaluated)


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


def _require_measurable(predictions: pd.DataFrame, path: Path) -> None:
    if not predictions["role"].isin(ROLES).any():
        raise InputError(f"{path}: no row has a role; `python -m mta.evaluate RUN` writes them")
    if not predictions["role"].isin(TESTS).any():
        raise InputError(f"{path}: no row has a test role; train with a split that has one, as --split patient")
    for role, part in predictions[predictions["role"].isin(ROLES)].groupby("role"):
        try:
            labelled(part["label"], part["logit"])
            if role in TESTS:
                require_two_patients(patient_keys(part)[part["label"].to_numpy() >= 0])
        except InputError as error:
            raise InputError(f"{path}, {role}: {error}") from error
