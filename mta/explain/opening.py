"""Runs to be explained, each with the rows of its store."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from mta.data.dataset import Dataset
from mta.data.inputs import Inputs
from mta.explain.layers import layer_output
from mta.trained import Trained, load_run

Which = Literal["best", "last"]
_IDENTITY = ["patient", "slide", "centre", "label"]
_SHOWN = 5


@dataclass(frozen=True)
class Subject:
    """A run and its own store.

    Attributes:
        name: to call the run by, different for each of those compared.
        trained: the run.
        data: its store with the roles of the run and raw concept values.
    """

    name: str
    trained: Trained
    data: Dataset

    def inputs(self) -> Inputs:
        """What the network is fed for rows of the store: normalized patches, or embeddings."""
        return self.trained.inputs(self.data.patches)


def open_subjects(
    runs: Sequence[str | Path], which: Which = "best", concepts: Sequence[str] | None = None, concept_file: str = ""
) -> list[Subject]:
    """Open the runs in the folders `runs`, of one split of one store.

    Args:
        runs: run folders, one or more.
        which: the epoch with the best monitored loss, or the last.
        concepts: names wanted; None for every one that is known, also to a run that was not trained on any.
        concept_file: their table; default that of the first run with one, else the store's own.

    Raises:
        InputError: for a run that is missing, damaged or not finished, a store that changed, and runs whose rows
            differ.
    """
    trained = [load_run(run, which) for run in runs]
    table = concept_file or next((one.config.concept_file for one in trained if one.config.concept_file), "")
    wanted = None if concepts is None else tuple(concepts)
    data = [one.own_data(wanted, table) for one in trained]
    for one, other in zip(trained[1:], data[1:], strict=True):
        require_same_rows(trained[0].path, data[0], one.path, other)
    return [Subject(*values) for values in zip(_names(trained), trained, data, strict=True)]


def _names(trained: Sequence[Trained]) -> list[str]:
    """The name of each folder, or its path where that is another's too."""
    count = Counter(one.path.resolve().name for one in trained)
    paths = [one.path.resolve() for one in trained]
    if len(set(paths)) < len(paths):
        raise InputError(f"{trained[0].path}: the same run is named twice; name each run once")
    return [path.name if count[path.name] == 1 else f"{path.parent.name}/{path.name}" for path in paths]


def named_layers(subject: Subject, names: Iterable[str]) -> list[str]:
    """`names` of layers, each once; InputError, with the run, where its model has none of a name."""
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        try:
            layer_output(subject.trained.model, name)
        except InputError as error:
            raise InputError(f"{subject.trained.path}: {error}") from error
    return chosen


def require_same_rows(first: Path, a: Dataset, second: Path, b: Dataset) -> None:
    """Raise InputError, with the rows that differ, unless `a` and `b` hold the same patches in the same roles."""
    ours, others = _identity(a), _identity(b)
    apart = ours.symmetric_difference(others).get_level_values("row").unique().sort_values()
    if len(apart):
        which = ", ".join(map(str, apart[:_SHOWN])) + (", …" if len(apart) > _SHOWN else "")
        raise InputError(
            f"{second}: {len(apart)} rows differ from those of {first} (rows {which}; {len(others)} against "
            f"{len(ours)} in all); compare runs of one store with one split"
        )


def _identity(data: Dataset) -> pd.MultiIndex:
    table = data.rows[_IDENTITY].astype({name: str for name in _IDENTITY[:3]})
    table = table.assign(role=data.roles, row=np.arange(len(table)))
    return pd.MultiIndex.from_frame(table)


def results_folder(runs: Sequence[str | Path], out: str, command: str) -> Path:
    """Where `command` writes: `out`, or RUN/explain/COMMAND of the one run; InputError where it is to be said."""
    if not runs:
        raise InputError("no run given; name the folder of a finished run")
    if out:
        return Path(out)
    if len(runs) > 1:
        raise InputError("several runs are compared; say with --out where the comparison goes")
    return Path(runs[0]) / "explain" / command
