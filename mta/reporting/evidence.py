"""What a run left behind, as the page takes it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from mta.config import TrainConfig
from mta.data.dataset import Coding
from mta.evaluation import summarize
from mta.reporting.fitness import TESTS
from mta.reporting.other_data import OtherData
from mta.run_folder import RunFolder


@dataclass(frozen=True)
class Evidence:
    """A finished and evaluated run, or a cross-validated one, whose tests are those of its folds, pooled.

    `name`: how the page calls it. `record`: `run.json`. `split`: `row, patient, slide, centre, role` of the whole
    store. `predictions`: as `read_predictions` gives them. `history`: one row an epoch. `evaluated`: `evaluation.json`.
    `elsewhere`: what it was measured on beside its own store. `folds`: the runs that a cross-validated one consists of;
    it has no history of its own, and `train` and `validation` are no roles of its split. `by_fold`: `folds.csv`.
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
    elsewhere: tuple[OtherData, ...] = ()
    folds: tuple["Evidence", ...] = ()
    by_fold: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What `summarize` makes of the predictions; of pooled folds nothing on the domain, a fold's own."""
        return summarize(self.predictions, () if self.folds else self.coding.centres)

    @property
    def members(self) -> tuple["Evidence", ...]:
        """The runs that were trained: the folds, or this run itself."""
        return self.folds or (self,)

    @property
    def trained_centres(self) -> set[str]:
        """The centres of training patches, of any fold."""
        return {centre for run in self.members for centre in run.split.loc[run.split["role"] == "train", "centre"]}

    @property
    def tests(self) -> list[str]:
        """The test roles that have predictions."""
        return [role for role in TESTS if (self.predictions["role"] == role).any()]

    def part(self, role: str) -> pd.DataFrame:
        """The predictions of one role."""
        return self.predictions[self.predictions["role"] == role].reset_index(drop=True)
