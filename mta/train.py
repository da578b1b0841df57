"""`python -m mta.train`: train a model on a patch store."""

import argparse
import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from data_prep.console import guarded, print_version, say
from data_prep.console import parse as parse_arguments
from data_prep.errors import InputError
from mta.backend import start_quietly
from mta.config import TrainConfig, defaults
from mta.settings import checked, configure, read_yaml

PROG = "python -m mta.train"


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


def train(
    store: str | Path,
    out: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
    **settings: Any,
) -> Path:
    """Train on `store` into the run folder `out`.

    Args:
        store: patch store, or several as "name=path,name=path".
        out: run folder. The same settings again continue an unfinished run; other settings are refused.
        resume: insist that there is an unfinished run to continue.
        overwrite: start over, removing what an earlier run wrote.
        quiet: no progress bar.
        **settings: any field of `mta.config.TrainConfig`, e.g. `preset="multitask", epochs=(5, 5)`.

    Returns:
        The run folder, for `mta.load`, `mta.evaluate` and the others.

    Raises:
        InputError: for bad input, before anything is written.
    """
    config = configure({"store": str(store), "out": str(out), **settings})
    return train_config(config, resume=resume, overwrite=overwrite, quiet=quiet)


def train_config(config: TrainConfig, *, resume: bool = False, overwrite: bool = False, quiet: bool = False) -> Path:
    """`train` for a ready configuration."""
    from mta.devices import open_devices
    from mta.run_folder import RunFolder
    from mta.training.onlooker import Onlooker

    devices = open_devices(config.strategy)
    folder = RunFolder(config.out) if devices.first else Onlooker(config.out)

    def is_finished() -> bool:
        return devices.share(lambda: _is_finished(config, folder, resume, overwrite).to_bytes()) == b"\1"

    with devices.together():
        if not is_finished():
            with folder.claimed():
                # Another process may have been at work before.
                if not is_finished():
                    _train(config, folder, quiet or not folder.writes, overwrite)
    return folder.path


def _is_finished(config: TrainConfig, folder: Any, resume: bool, overwrite: bool) -> bool:
    """Whether there is nothing left to do in `folder`; InputError where `config` does not fit what is there."""
    standing = folder.standing()
    if resume and standing == "new":
        raise InputError(f"{folder.path}: there is no run to resume; leave --resume out to start one")
    if standing == "new" or overwrite:
        return False
    folder.require_same(config)
    if standing == "finished":
        say(f"{folder.path}: this run is finished; --overwrite starts it over")
    return bool(standing == "finished")


def _train(config: TrainConfig, folder: Any, quiet: bool, overwrite: bool) -> None:
    if config.folds and config.fold < 0:
        from mta.training.folds import cross_validate

        return cross_validate(config, folder, quiet, overwrite)
    from mta.training.loop import run

    run(config, folder, quiet, overwrite)
    if not quiet:
        say(f"{folder.path}: done; next: python -m mta.evaluate {folder.path}")


def parse(argv: list[str]) -> tuple[TrainConfig, dict[str, bool]]:
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
    return _split(parse_arguments(TrainCommand, PROG, argv, default=TrainCommand(**values)))


def _split(command: TrainCommand) -> tuple[TrainConfig, dict[str, bool]]:
    settings = {field.name: getattr(command, field.name) for field in dataclasses.fields(TrainConfig)}
    return configure(settings), {name: getattr(command, name) for name in ("resume", "overwrite", "quiet")}


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments == ["--version"]:
        print_version(PROG)
    guarded(lambda: _main(arguments), PROG)


def _main(arguments: list[str]) -> None:
    config, options = parse(arguments)
    start_quietly(config.strategy)
    train_config(config, **options)


if __name__ == "__main__":
    main()
