"""What the data of a study must have, looked at before the first run."""

from pathlib import Path

import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import assign_roles, patient_keys
from mta.config import TrainConfig
from mta.data.dataset import Dataset, open_dataset, require_both_classes
from mta.evaluation.comparison import same_roles
from mta.studies.plan import StudyPlan

Source = tuple[str, str, str, tuple[str, ...]]


def require_testable(plan: StudyPlan) -> dict[str, tuple[int, ...]]:
    """Raise InputError unless every store, concept and split is there and every tested role can be tested.

    A role needs rows of both classes and of two patients, and all rows of the study must be tested on the same patches.

    Returns:
        Row -> shape of an input, (side, side, 3) pixels of a patch or (width,) numbers of an embedding.
    """
    splits = range(max(1, len(plan.splits)))
    configs = {row: [plan.config(row, plan.seeds[0], split, Path()) for split in splits] for row in plan.rows}
    wanted = tuple(sorted({name for each in configs.values() for config in each for name in config.concepts}))
    seen: dict[Source, Dataset] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    first: pd.DataFrame | None = None
    for row, each in configs.items():
        try:
            tested = pd.concat([_tested(config, plan.roles, wanted, seen) for config in each], ignore_index=True)
            first = tested if first is None else first
            same_roles(tested, first)
            shapes[row] = seen[_source(each[0])].shape()
        except InputError as error:
            raise InputError(f"row {row}: {error}") from error
    return shapes


def _source(config: TrainConfig) -> Source:
    return config.store, config.concept_file, config.split, config.external_centres


def _tested(
    config: TrainConfig, roles: tuple[str, ...], concepts: tuple[str, ...], seen: dict[Source, Dataset]
) -> pd.DataFrame:
    """The rows of the store that are tested, with their numbers; what was looked at is kept in `seen`."""
    source = _source(config)
    if source not in seen:
        seen[source] = _opened(config, roles, concepts)
    data = seen[source]
    if absent := [name for name in config.concepts if data.concepts[name].isna().all()]:
        raise InputError(f"{config.concept_file or data.name}: has no concept {', '.join(absent)}")
    tested = data.of(*roles)
    return data.rows.iloc[tested].assign(row=tested, role=data.roles[tested])


def _opened(config: TrainConfig, roles: tuple[str, ...], concepts: tuple[str, ...]) -> Dataset:
    """The closed store with the roles that `config` gives, each of which is as it must be."""
    data = open_dataset(config.store, concepts, config.concept_file, config.seed, complete=False)
    try:
        data.roles = assign_roles(data.rows, config.split, config.seed, external_centres=config.external_centres)
    finally:
        data.patches.close()
    for role in ("train", "validation", *roles):
        _require(data, role)
    return data


def _require(data: Dataset, role: str) -> None:
    rows = data.of(role)
    if not len(rows):
        raise InputError(f"{data.name}: no row has the role {role}")
    require_both_classes(data, role)
    if len(set(patient_keys(data.rows.iloc[rows]))) < 2:
        raise InputError(f"{data.name}: role {role} has one patient alone; an interval over patients needs two or more")
