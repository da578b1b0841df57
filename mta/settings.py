"""Settings from YAML files, flags and keyword arguments, checked before a run begins."""

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typeguard
import yaml

from data_prep.errors import InputError
from mta.config import Augment, TrainConfig, defaults
from mta.spec import check_concepts

_FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}


def configure(values: Mapping[str, Any]) -> TrainConfig:
    """The configuration that `values` (field -> value) makes of the preset and profile they name.

    Lists become tuples. Raises InputError for unknown keys, wrong types and values out of range.
    """
    given = checked(values)
    chosen = defaults(str(given.get("preset", "mta")), str(given.get("profile", "paper")))
    config = TrainConfig(**{"store": "", "out": "", **chosen, **given})
    if config.augment == ("none",):
        config = dataclasses.replace(config, augment=())
    _check_ranges(config)
    return config


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` by field name, lists as tuples; InputError for unknown keys and wrong types."""
    given = {name: _meant(name, value) for name, value in ((_known(key), value) for key, value in values.items())}
    for key, value in given.items():
        _check_type(key, value)
    return given


def _meant(name: str, value: Any) -> Any:
    """`value` as a setting has it: tuples for lists, and the words that YAML takes for truth values."""
    if isinstance(value, list):
        return tuple(value)
    word = {True: "on", False: "off"}[value] if isinstance(value, bool) else ""
    return word if word in get_args(get_type_hints(TrainConfig)[name]) else value


def _known(key: str) -> str:
    name = str(key).replace("-", "_")
    if name in _FIELDS:
        return name
    near = difflib.get_close_matches(name, _FIELDS, 1)
    raise InputError(f"unknown setting {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


# What to write in YAML where its own idea of a value is not ours: it takes 1e-4 for a text and centre 4 for a number.
_TYPE_HINTS = {
    float: "write a number, with a point even before an exponent (1.0e-4)",
    tuple[str, ...]: 'write a list of texts, with quotes around numbers (["4"])',
    tuple[int, ...]: "write a list of whole numbers ([512, 256])",
    tuple[Augment, ...]: "write a list of some of flips, stain, hed and color ([flips, stain])",
    tuple[float, float, float, float]: "write four numbers with points ([0.25, 0.25, 0.25, 0.04])",
    tuple[int, int]: "write two whole numbers ([80, 20])",
}


def _check_type(name: str, value: Any) -> None:
    expected = get_type_hints(TrainConfig)[name]
    try:
        typeguard.check_type(value, expected)
    except typeguard.TypeCheckError as error:
        raise InputError(f"setting {name} is {value!r}: {_TYPE_HINTS.get(expected, str(error))}") from error


def _check_ranges(config: TrainConfig) -> None:
    rules = {
        "epochs must be 0 or more, and not all 0": min(config.epochs) >= 0 and sum(config.epochs) > 0,
        "batch_size must be 1 or more": config.batch_size >= 1,
        "learning_rate must be a number above 0": 0 < config.learning_rate < float("inf"),
        "momentum must be from 0 to below 1": 0 <= config.momentum < 1,
        "save_minutes must be 0 or more": 0 <= config.save_minutes < float("inf"),
        "augment takes none alone, or others once each": len(set(config.augment)) == len(config.augment)
        and "none" not in config.augment,
        "profile original takes channels as stored; it knows flips alone": config.profile == "paper"
        or set(config.augment) <= {"flips"},
        "profile original reads each row once an epoch; it knows no balance": config.profile == "paper"
        or config.balance == "none",
        "strength must be a number of 0 or more": 0 <= config.strength < float("inf"),
        "profile original knows one adversary, of strength 1": config.profile == "paper"
        or (config.adversary_mode, config.strength) == ("marginal", 1.0),
        "profile original takes pooled features as they are; it knows no standardize": config.profile == "paper"
        or config.standardize == "off",
        "stain_sigma must be from 0 to below 1": 0 <= config.stain_sigma < 1,
        "color_ranges must be shares from 0 to 1 and turns from 0 to 0.5": all(
            0 <= value <= limit for value, limit in zip(config.color_ranges, (1, 1, 1, 0.5), strict=True)
        ),
        "patience must be 1 or more": config.patience >= 1,
        "folds must be 0, or 2 or more": config.folds == 0 or config.folds >= 2,
        "fold must be below folds": -1 <= config.fold < max(config.folds, 0),
        "cache_limit must be 0 or more": config.cache_limit >= 0,
        "seed must be from 0 to 4294967295": 0 <= config.seed < 2**32,
    }
    if broken := [rule for rule, kept in rules.items() if not kept]:
        raise InputError(broken[0])
    check_concepts(config.concepts)
    _check_devices(config)


def _check_devices(config: TrainConfig) -> None:
    if config.jit == "on" and config.strategy != "none":
        raise InputError(f"--jit on: XLA fails under --strategy {config.strategy}; leave --jit out")
    if config.strategy == "multiworker" and config.folds and config.fold < 0:
        raise InputError("--folds: under --strategy multiworker, train one fold at a time (--folds K --fold NUMBER)")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The settings in a YAML file: a mapping of field names (dashes or underscores) to values.

    Raises:
        InputError: when it is no such mapping, and for unknown keys and wrong types.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: holds no settings; write lines like 'preset: mta'")
    try:
        return checked(values)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
