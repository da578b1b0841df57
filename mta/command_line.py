"""The command line of `python -m mta.train`."""

import argparse
import dataclasses
from dataclasses import dataclass

import tyro

from mta.config import TrainConfig, checked, configure, defaults, read_yaml


@dataclass(frozen=True)
class TrainCommand(TrainConfig):
    """Train a multi-task adversarial model, or one of its controls, on a patch store."""

    config: str = ""
    """YAML file of settings; flags win over it"""
    resume: bool = False
    """insist on continuing an unfinished run (the same command continues it anyway)"""
    overwrite: bool = False
    """start over in a used run folder"""
    quiet: bool = False
    """no progress bar"""


def parse(argv: list[str], prog: str) -> tuple[TrainConfig, dict[str, bool]]:
    """The configuration and the run options in command-line arguments; usage errors leave with status 2.

    `--preset`, `--profile` and `--config FILE.yaml` set the defaults that the remaining flags then change.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--config", "--preset", "--profile"):
        first.add_argument(name)
    found, _ = first.parse_known_args(argv)
    values = {"preset": "mta", "profile": "paper", **(read_yaml(found.config) if found.config else {})}
    named = checked({name: getattr(found, name) or values[name] for name in ("preset", "profile")})
    values = {"store": tyro.MISSING, "out": tyro.MISSING, **defaults(**named), **values, **named}
    return _split(tyro.cli(TrainCommand, prog=prog, args=argv, default=TrainCommand(**values)))


def _split(command: TrainCommand) -> tuple[TrainConfig, dict[str, bool]]:
    settings = {field.name: getattr(command, field.name) for field in dataclasses.fields(TrainConfig)}
    return configure(settings), {name: getattr(command, name) for name in ("resume", "overwrite", "quiet")}
