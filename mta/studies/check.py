"""What the data of a study must have, looked at before the first run."""

from pathlib import Path

import numpy as np

from data_prep.errors import InputError
from data_prep.splits import assign_roles, patient_keys
from mta.config import TrainConfig
from mta.data.dataset import Dataset, open_dataset, require_both_classes
from mta.studies.plan import StudyPlan


def require_testable(plan: StudyPlan) -> None:
    """Raise InputError unless every store, concept and split is there and every tested role can be tested.

    A role needs rows of both classes and of two patients; the rows tested must be the same in all rows of the study.
    """
    configs = {
        (row, split): plan.config(row, plan.seeds[0], split, Path())
        for row in plan.rows
        for split in range(max(1, len(plan.splits)))
    }
    seen: dict[tuple, np.ndarray] = {}
    for (row, _), config in configs.items():
        key = (config.store, config.concepts, config.concept_file, config.split, config.external_centres)
        if key not in seen:
            try:
                seen[key] = _tested(config, plan.roles)
            except InputError as error:
                raise InputError(f"row {row}: {error}") from error


def _tested(config: TrainConfig, roles: tuple[str, ...]) -> np.ndarray:
    data = open_dataset(config.store, config.concepts, config.concept_file, config.seed)
    try:
        data.roles = assign_roles(data.rows, config.split, config.seed, external_centres=config.external_centres)
        for role in ("train", "validation", *roles):
            _require(data, role)
        return data.roles
    finally:
        data.patches.close()


def _require(data: Dataset, role: str) -> None:
    rows = data.of(role)
    if not len(rows):
        raise InputError(f"{data.name}: no row has the role {role}")
    require_both_classes(data, role)
    if len(set(patient_keys(data.rows.iloc[rows]))) < 2:
        raise InputError(f"{data.name}: role {role} has one patient alone; an interval over patients needs two or more")
