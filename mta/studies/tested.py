"""What all runs of a study said about the same test rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from data_prep.errors import InputError
from data_prep.splits import patient_keys
from mta.evaluation.comparison import same_roles
from mta.evaluation.table import read_predictions
from mta.run_folder import RunFolder
from mta.studies.plan import StudyPlan, run_folder

OVERALL = "overall"
Key = tuple[str, int]


@dataclass(frozen=True)
class Tested:
    """Predictions of every run, all on the same rows in one order.

    Attributes:
        tables: (row, seed) -> predictions table; `score` is what ranks its rows.
        centres: (row, seed) -> the centres that its domain head names; () without an adversary, and where splits
            train on different centres, whose answers have nothing in common.
        roles: tested, and "overall" for all of them together where there are several.
    """

    tables: dict[Key, pd.DataFrame]
    centres: dict[Key, tuple[str, ...]]
    roles: tuple[str, ...]

    def part(self, key: Key, role: str) -> pd.DataFrame:
        """The rows of a role in the predictions of a run."""
        table = self.tables[key]
        return table if role == OVERALL else table[table["role"] == role]

    def scores(self, row: str, role: str) -> dict[int, np.ndarray]:
        """Seed -> scores (rows of the role,)."""
        seeds = [seed for name, seed in self.tables if name == row]
        return {seed: self.part((row, seed), role)["score"].to_numpy() for seed in seeds}

    def labels(self, role: str) -> np.ndarray:
        """0, 1 or -1 for each row of the role."""
        return self.part(next(iter(self.tables)), role)["label"].to_numpy()

    def patients(self, role: str) -> np.ndarray:
        """A patient for each row of the role."""
        return patient_keys(self.part(next(iter(self.tables)), role))


def collect(plan: StudyPlan, folder: Path) -> Tested:
    """The predictions of the finished runs of `plan` below `folder`.

    Raises:
        InputError: when no run of the baseline is there, or two runs were tested on different rows.
    """
    keys = [(row, seed) for row in plan.rows for seed in plan.seeds]
    tables = {key: table for key in keys if (table := _table(plan, folder, *key)) is not None}
    if not any(row == plan.baseline for row, _ in tables):
        raise InputError(f"no run of the baseline {plan.baseline} is there to compare with")
    roles = plan.roles if len(plan.roles) == 1 else (*plan.roles, OVERALL)
    return Tested(aligned(tables), {key: _centres(plan, folder, *key) for key in tables}, roles)


def _centres(plan: StudyPlan, folder: Path, row: str, seed: int) -> tuple[str, ...]:
    folders = [run_folder(folder, row, seed, number) for number in _numbers(plan)]
    named = {tuple(map(str, RunFolder(one).read("labels.json")["centres"])) for one in folders}
    return named.pop() if len(named) == 1 else ()


def _numbers(plan: StudyPlan) -> list[int | None]:
    return [*range(len(plan.splits))] or [None]


def _table(plan: StudyPlan, folder: Path, row: str, seed: int) -> pd.DataFrame | None:
    """Predictions of a run over all its splits; None where one of them is not there."""
    paths = [run_folder(folder, row, seed, number) / "evaluation.json" for number in _numbers(plan)]
    if not all(path.exists() for path in paths):
        return None
    parts = [_scored(read_predictions(path.with_name("predictions.csv")), bool(plan.splits)) for path in paths]
    table = pd.concat(parts, ignore_index=True)
    return table[table["role"].isin(plan.roles)].reset_index(drop=True)


def _scored(table: pd.DataFrame, ranked: bool) -> pd.DataFrame:
    """With a column `score`: the logit, or its rank in the split, since logits of two networks have no common scale."""
    if not ranked:
        return table.assign(score=table["logit"])
    ranks = table.groupby("role")["logit"].transform(lambda logits: rankdata(logits) / len(logits))
    return table.assign(score=ranks)


def aligned(tables: Mapping[Key, pd.DataFrame]) -> dict[Key, pd.DataFrame]:
    """`tables` with their rows in one order.

    Raises:
        InputError: where the rows of two, or their roles, differ, with the two runs and which rows.
    """
    (key, first), *_ = tables.items()
    found = {}
    for other, table in tables.items():
        try:
            found[other] = same_roles(table, first)[0]
        except InputError as error:
            raise InputError(f"{other[0]}/{other[1]} against {key[0]}/{key[1]}: {error}") from error
    return found
