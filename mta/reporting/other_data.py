"""What `python -m mta.evaluate RUN --data STORE` left in `evaluation-NAME`."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from data_prep.errors import InputError
from data_prep.splits import ROLES
from mta.evaluation import read_predictions, summarize
from mta.reporting.fitness import require_classes
from mta.run_folder import RunFolder

_PREFIX = "evaluation-"


@dataclass(frozen=True)
class OtherData:
    """An evaluation: `name` of its data, `about` its `evaluation.json`, `predictions` as `read_predictions` says."""

    name: str
    about: dict[str, Any]
    predictions: pd.DataFrame

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What `summarize` makes of the predictions, but for the domain."""
        return summarize(self.predictions)

    @property
    def parts(self) -> dict[str, pd.DataFrame]:
        """Role -> its predictions, for those that occur."""
        found = {role: self.predictions[self.predictions["role"] == role] for role in ROLES}
        return {role: part.reset_index(drop=True) for role, part in found.items() if len(part)}


def read_other_data(run: RunFolder) -> tuple[OtherData, ...]:
    """The finished evaluations in the folder of `run`, by name. Raises `InputError` for one that is damaged."""
    return tuple(_read(folder) for folder in _folders(run) if folder.file("evaluation.json").exists())


def unfinished(run: RunFolder) -> list[str]:
    """Names of the folders whose evaluation has not ended; `evaluation.json` is written last."""
    return [folder.path.name for folder in _folders(run) if not folder.file("evaluation.json").exists()]


def _folders(run: RunFolder) -> list[RunFolder]:
    return [RunFolder(path) for path in sorted(run.path.glob(f"{_PREFIX}*")) if path.is_dir()]


def _read(folder: RunFolder) -> OtherData:
    path = folder.file("predictions.csv")
    predictions = read_predictions(path)
    require_classes(predictions, path)
    return OtherData(folder.path.name.removeprefix(_PREFIX), _about(folder), predictions)


def _about(folder: RunFolder) -> dict[str, Any]:
    try:
        return folder.read("evaluation.json")
    except InputError as error:
        path = folder.file("evaluation.json")
        raise InputError(f"{path}: damaged; evaluate again with --data, or remove {folder.path}") from error
