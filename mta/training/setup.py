"""From a configuration to everything that training needs, checked before anything is written."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.splits import assign_roles, fold_roles, require_disjoint, split_by_patient
from mta.config import TrainConfig
from mta.data.balance import Balance, make_balance
from mta.data.coding import fit_coding
from mta.data.dataset import Coding, Dataset, open_dataset, require_both_classes
from mta.data.inputs import Inputs, PatchInputs
from mta.data.reader import BatchReader
from mta.data.stain import fit_normalizer, still_needed

# What a run on embeddings has no use for.
_OF_IMAGES = (
    *("profile", "backbone", "weights", "trainable", "cut", "standardize", "stain", "stain_reference"),
    *("augment", "stain_sigma", "color_ranges"),
)


@dataclass
class Setup:
    """The data side of a run.

    Attributes:
        data: store, roles and raw concepts.
        coding: concept scales and domain classes, fitted on training rows.
        targets: task name -> true values of all rows.
        normalizer: of the stain, or None; fitted, or the one that made the store.
        leaks: findings that `--allow-leak` let pass.
        class_weights: (normal, tumor), or None for the original constants.
        balance: which rows train, and how often an epoch shows them.
    """

    data: Dataset
    coding: Coding
    targets: dict[str, np.ndarray]
    normalizer: Any
    leaks: list[str]
    class_weights: tuple[float, float] | None
    balance: Balance

    def patch_inputs(self, views: int = 1) -> PatchInputs:
        """The patches, normalized as the run does, with `views` to choose from."""
        return PatchInputs(self.data.patches, still_needed(self.data.patches, self.normalizer), views)


def prepare(config: TrainConfig) -> Setup:
    """Open the store, give roles, check for leaks and empty classes, and fit scales and stain on training rows.

    Raises:
        InputError: for whatever is wrong with the input.
    """
    data = open_dataset(config.store, config.concepts, config.concept_file, config.seed, config.profile == "original")
    if data.embedded:
        require_defaults(config)
    data.roles = _roles(data, config)
    for role in ("train", "validation"):
        if not len(data.of(role)):
            raise InputError(f"{data.name}: no row has the role {role}; give one with --split, or --split patient")
    leaks = require_disjoint(data.rows, data.roles, config.allow_leak)
    require_both_classes(data, "train", "validation", "internal_test", "external_test")
    coding = fit_coding(data, config)
    targets = coding.targets(data)
    if config.profile == "original":
        targets = _with_ones(targets)
    if config.profile == "original" and config.stain in ("macenko", "vahadane"):
        raise InputError(
            f"--stain {config.stain}: profile original takes channels as stored, and knows reinhard or none"
        )
    normalizer = None
    if not data.embedded:
        normalizer = fit_normalizer(data, config.stain, config.stain_reference, config.seed)
    balance = make_balance(data.rows, data.of(*trained_roles(config)), config.balance)
    weights = None
    if config.class_weights == "training":
        shown = np.where(data.roles == "train", balance.weights(len(data.rows)), 0)
        weights = class_weights(data.labels, shown)
    return Setup(data, coding, targets, normalizer, leaks, weights, balance)


def trained_roles(config: TrainConfig) -> tuple[str, ...]:
    """Roles of the rows that training reads: profile `original` reads all listed ones (B-08)."""
    every = ("train", "validation", "internal_test", "external_test")
    return every if config.profile == "original" else ("train",)


def require_defaults(config: TrainConfig) -> None:
    """Raise InputError where `config` sets what only images have: with embeddings, there is no trunk and no pixel."""
    fields = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
    if changed := [name for name in _OF_IMAGES if getattr(config, name) != fields[name]]:
        raise InputError(
            f"{config.store}: holds embeddings, for which --{changed[0].replace('_', '-')} means nothing; leave it out"
        )


def _roles(data: Dataset, config: TrainConfig) -> np.ndarray:
    if config.folds:
        return roles_of_folds(data, config)[config.fold]
    return assign_roles(data.rows, config.split, seed=config.seed, external_centres=config.external_centres)


def roles_of_folds(data: Dataset, config: TrainConfig) -> list[np.ndarray]:
    """A role array (n,) for each fold; what is kept for the external test has that role in all of them.

    Raises:
        InputError: when a split file is named as well, or there are too few patients.
    """
    if config.split not in ("column", "patient"):
        raise InputError(f"--folds deals out the patients itself; leave out --split {config.split}")
    external = data.rows["role"].to_numpy(str) == "external_test"
    if config.external_centres:
        outside = split_by_patient(data.rows, config.seed, external_centres=config.external_centres)
        external |= outside == "external_test"
    return [_placed(roles, external) for roles in fold_roles(data.rows[~external], config.folds, config.seed)]


def _placed(roles: np.ndarray, external: np.ndarray) -> np.ndarray:
    every = np.full(len(external), "external_test", dtype=object)
    every[~external] = roles
    return every.astype(str)


def class_weights(labels: np.ndarray, shown: np.ndarray) -> tuple[float, float]:
    """(normal, tumor): each class weighs the share of the other, as in the original; labels -1 do not count.

    Args:
        labels: (n,) 0, 1 or -1.
        shown: (n,) how often an epoch shows each row: what is balanced already is not weighted once more.
    """
    known = shown[labels >= 0].sum()
    tumor = float(shown[labels == 1].sum() / known) if known else 0.0
    return tumor, 1.0 - tumor


def training_reader(setup: Setup, config: TrainConfig, inputs: Inputs) -> BatchReader:
    """Batches of the training rows, from `inputs`.

    Profile `original` (B-08, B-40, B-43): all listed rows are read, those of other roles without their tumor label
    but with domain and concepts; the baseline is not shuffled; the last, smaller batch is left out; the random
    concept is drawn anew at every access.
    """
    original = config.profile == "original"
    targets = _without_other_labels(setup) if original else setup.targets
    return BatchReader(
        inputs,
        setup.balance,
        targets,
        config.batch_size,
        config.seed,
        shuffle=not (original and config.preset == "baseline"),
        whole_batches=original,
        redrawn=("random",) if original and "random" in config.concepts else (),
    )


def _with_ones(targets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`targets` with 1 for every absent concept (B-10)."""
    return {name: np.where(np.isnan(values), np.float32(1), values) for name, values in targets.items()}


def _without_other_labels(setup: Setup) -> dict[str, np.ndarray]:
    tumor = np.where(setup.data.roles[:, None] == "train", setup.targets["tumor"], np.float32(-1))
    return {**setup.targets, "tumor": tumor}
