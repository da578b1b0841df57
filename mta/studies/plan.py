"""What a study is: rows of settings, seeds, and how they are compared. Everything is checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data_prep.errors import InputError
from mta.config import TrainConfig
from mta.settings import configure
from mta.studies.reading import read_mapping, require_name, require_one_of

Model = Literal["best", "last"]
TESTED = ("internal_test", "external_test")
OWN = ("store", "out", "seed")  # settings that the study itself gives
_KEYS = ("data", "settings", "rows", "baseline", "control", "seeds", "model", "roles", "splits")


@dataclass(frozen=True)
class StudyPlan:
    """A study as its file describes it.

    Attributes:
        rows: name -> settings of its runs, the common ones included, with the store they train on.
        baseline: the row that others are compared with.
        control: the row of the random concept, with which they are compared too; "" for none.
        seeds: of the runs of each row.
        model: which epoch is measured, best (by the monitored validation loss) or last.
        roles: that are tested.
        splits: split tables that take turns, each patch being tested in one; () where the settings say the roles.
    """

    rows: dict[str, dict[str, Any]]
    baseline: str
    control: str
    seeds: tuple[int, ...]
    model: Model
    roles: tuple[str, ...]
    splits: tuple[str, ...]

    def config(self, row: str, seed: int, split: int, folder: Path) -> TrainConfig:
        """The settings of one run, in its folder below `folder`; `split` is the number of its split table."""
        own: dict[str, Any] = {"seed": seed, "out": str(run_folder(folder, row, seed, split if self.splits else None))}
        if self.splits:
            own["split"] = self.splits[split]
        try:
            return configure({**self.rows[row], **own})
        except InputError as error:
            raise InputError(f"row {row}: {error}") from error


def run_folder(folder: Path, row: str, seed: int, split: int | None = None) -> Path:
    """Where the run of a row and a seed lies."""
    return folder / "runs" / row / (str(seed) if split is None else f"{seed}-{split}")


def read_plan(path: str | Path) -> StudyPlan:
    """The study in a YAML file.

    Raises:
        InputError: in one line, for what is not readable, unknown, doubled or lacking; names are those of the file.
    """
    try:
        plan = _plan(read_mapping(path))
        for row in plan.rows:
            plan.config(row, plan.seeds[0], 0, Path())
        return plan
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _plan(given: Mapping[str, Any]) -> StudyPlan:
    for key in given:
        require_one_of(key, _KEYS, "key")
    if lacking := [key for key in ("data", "rows", "baseline", "seeds") if not given.get(key)]:
        raise InputError(f"has no {lacking[0]}; a study needs data, rows, baseline and seeds")
    rows = _rows(given)
    for key in ("baseline", "control"):
        if given.get(key) is not None:
            require_one_of(given[key], rows, "row", f"{key}: ")
    model = given.get("model", "best")
    require_one_of(model, ("best", "last"), "rule", "model: ")
    seeds, splits = _seeds(given["seeds"]), tuple(_texts(given.get("splits", []), "splits"))
    for name, settings in rows.items():
        _require_one_split(name, settings, seeds, splits)
    roles = _roles(given.get("roles", list(TESTED)))
    return StudyPlan(rows, given["baseline"], given.get("control") or "", seeds, model, roles, splits)


def _require_one_split(row: str, settings: Mapping[str, Any], seeds: tuple[int, ...], splits: tuple[str, ...]) -> None:
    split = settings.get("split")
    if splits and split is not None:
        raise InputError(f"row {row}: split: {split} beside splits, which say the roles; leave one of them out")
    if split == "patient" and len(seeds) > 1:
        raise InputError(
            f"row {row}: split: patient deals patients out by the seed, and all seeds must be tested on the same; make "
            "a table by `python -m data_prep split` and name it"
        )


def _rows(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    common, rows = _settings(given.get("settings"), "settings"), given["rows"]
    if not isinstance(rows, dict):
        raise InputError("rows: write one line a row, like 'baseline: {preset: baseline}'")
    for name in rows:
        require_name(name)
    if twice := {name.lower() for name in rows if [other.lower() for other in rows].count(name.lower()) > 1}:
        raise InputError(f"rows: {min(twice)} stands twice (capitals do not tell folders apart everywhere)")
    common = {"store": _store(given["data"]), **common}
    return {name: {**common, **_settings(own, f"row {name}", ("out", "seed"))} for name, own in rows.items()}


def _settings(values: Any, where: str, own: tuple[str, ...] = OWN) -> dict[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{where}: write settings like {{preset: mta}}, not {values!r}")
    named = {str(key).replace("-", "_"): value for key, value in values.items()}
    if taken := [name for name in named if name in own]:
        raise InputError(f"{where}: {taken[0]} is the study's own (data, --out, seeds)")
    if named.get("folds"):
        raise InputError(f"{where}: folds: name split tables under splits instead; each is trained and tested in turn")
    return named


def _store(data: Any) -> str:
    if isinstance(data, dict) and data:
        return ",".join(f"{name}={path}" for name, path in data.items())
    if isinstance(data, str):
        return data
    raise InputError(f"data: give a store, or stores by name ({{cam16: a.h5, all500: b.h5}}), not {data!r}")


def _seeds(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or any(type(value) is not int or not 0 <= value < 2**32 for value in values):
        raise InputError("seeds: write a list of whole numbers from 0 on ([1001, 822])")
    if twice := [value for value in values if values.count(value) > 1]:
        raise InputError(f"seeds: {twice[0]} stands twice; it would count one run as two")
    return tuple(values)


def _roles(values: Any) -> tuple[str, ...]:
    roles = _texts(values, "roles")
    for role in roles:
        require_one_of(role, ("validation", *TESTED), "role", "roles: ")
    if not roles or len(set(roles)) < len(roles):
        raise InputError(f"roles: name one or more, once each, of validation, {', '.join(TESTED)}")
    return tuple(roles)


def _texts(values: Any, where: str) -> list[str]:
    if not isinstance(values, list) or any(not isinstance(value, str) for value in values):
        raise InputError(f"{where}: write a list of texts ([a, b])")
    return values
