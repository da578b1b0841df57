"""What the data of a study must have, looked at before the first run."""

from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import assign_roles, patient_keys
from mta.config import TrainConfig
from mta.data.dataset import Dataset, open_dataset, require_both_classes
from mta.evaluation.comparison import same_rows
from mta.studies.plan import StudyPlan


def require_testable(plan: StudyPlan) -> None:
    """Raise InputError unless every store, concept and split is there and every tested role can be tested.

    A role needs rows of both classes and of two patients, and all rows of the study must be tested on the same patches.
    """
    seen: dict[tuple[object, ...], pd.DataFrame] = {}
    first: pd.DataFrame | None = None
    for row in plan.rows:
        try:
            parts = [_tested_once(plan, row, split, seen) for split in range(max(1, len(plan.splits)))]
            tested = pd.concat(parts, ignore_index=True)
            first = tested if first is None else first
            same_rows(tested, first)
        except InputError as error:
            raise InputError(f"row {row}: {error}") from error


def _tested_once(plan: StudyPlan, row: str, split: int, seen: dict[tuple[object, ...], pd.DataFrame]) -> pd.DataFrame:
    """`_tested` of a run, kept in `seen` for those that differ in nothing that matters here."""
    config = plan.config(row, plan.seeds[0], split, Path())
    key = (config.store, config.concepts, config.concept_file, config.split, config.external_centres)
    if key not in seen:
        seen[key] = _tested(config, plan.roles)
    return seen[key]


def _tested(config: TrainConfig, roles: tuple[str, ...]) -> pd.DataFrame:
    """The rows of the store that are tested, with their numbers."""
    data = open_dataset(config.store, config.concepts, config.concept_file, config.seed)
    try:
        data.roles = assign_roles(data.rows, config.split, config.seed, external_centres=config.external_centres)
        for role in ("train", "validation", *roles):
            _require(data, role)
        tested = data.of(*roles)
        return data.rows.iloc[tested].assign(row=tested)
    finally:
        data.patches.close()


def _require(data: Dataset, role: str) -> None:
    rows = data.of(role)
    if not len(rows):
        raise InputError(f"{data.name}: no row has the role {role}")
    require_both_classes(data, role)
    if len(set(patient_keys(data.rows.iloc[rows]))) < 2:
        raise InputError(f"{data.name}: role {role} has one patient alone; an interval over patients needs two or more")
