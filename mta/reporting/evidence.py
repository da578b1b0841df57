"""What a run left behind, as the page takes it."""

from dataclasses import dataclass
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
    """A finished and evaluated run.

    `name`: how the page calls it. `record`: `run.json`. `split`: `row, patient, slide, centre, role` of the whole
    store. `predictions`: as `read_predictions` gives them. `history`: one row an epoch. `evaluated`: `evaluation.json`.
    `elsewhere`: what it was measured on beside its own store.
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
