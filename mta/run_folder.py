"""The files of a training run."""

import json
import shutil
import zipfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from data_prep.claims import LOCK, claimed
from data_prep.errors import InputError
from data_prep.files import replacing, write_json
from mta.config import TrainConfig, to_json
from mta.settings import configure

Standing = Literal["new", "unfinished", "finished"]
# Written before config.json, which marks the folder as a run's.
_FIRST = ("split.csv", "labels.json", "stain.json", "run.json")
_OWN = (
    *(*_FIRST, "history.csv", "predictions.csv", "metrics.json", "evaluation.json", "folds.csv", "report.html"),
    *("best.keras", "best_phase1.keras", "last.keras", "roc.png", "history.png"),
    "config.json",  # last: what is cut short while it is removed is still a run folder
)
# Settings that decide no number, or only how it is rounded and (with several devices) which units drop out.
WHERE = ("out", "cache_dir", "cache_limit", "save_minutes", "strategy", "jit")
_HALF_WRITTEN = ".*.tmp*"  # as `replacing` calls them


class RunFolder:
    """Where a run keeps its files.

    Args:
        path: the folder; it need not exist yet.

    Attributes:
        writes: whether this process writes in it.
    """

    writes = True

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.state = self.path / "state"

    def file(self, name: str) -> Path:
        """Path of the file `name` in the folder."""
        return self.path / name

    def standing(self) -> Standing:
        """Whether a run was begun and ended here.

        Raises:
            InputError: when the folder holds something else.
        """
        if self.file("config.json").exists():
            return "finished" if self.record().get("finished") else "unfinished"
        if self.path.exists() and not (self.path.is_dir() and all(map(_of_a_start, self.path.iterdir()))):
            raise InputError(f"{self.path}: is there and is no run folder; choose another --out")
        return "new"

    def require_same(self, config: TrainConfig) -> None:
        """Raise InputError when the run here would compute something else with `config`."""
        mine, other = to_json(self.config()), to_json(config)
        changed = [name for name in mine if name not in WHERE and mine[name] != other[name]]
        if changed:
            name = changed[0]
            raise InputError(
                f"{self.path}: holds a run with {name}={mine[name]!r}, not {other[name]!r}; choose another --out, or "
                "--overwrite to start over"
            )

    def config(self) -> TrainConfig:
        """The configuration of the run here."""
        return configure(self.read("config.json"))

    def record(self) -> dict[str, Any]:
        """`run.json`, or {} when the run died before it was written."""
        return self.read("run.json") if self.file("run.json").exists() else {}

    def read(self, name: str) -> dict[str, Any]:
        """The JSON object in the file `name`.

        Raises:
            InputError: when it is missing or damaged.
        """
        path = self.file(name)
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"{path}: not found; is {self.path} the folder of a training run?") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: damaged ({error}); train again with --overwrite") from error
        if not isinstance(value, dict):
            raise InputError(f"{path}: damaged (no JSON object); train again with --overwrite")
        return value

    def claimed(self) -> AbstractContextManager[None]:
        """Keep other processes out of the folder (`data_prep.claims.claimed`)."""
        return claimed(self.path)

    def clear(self) -> None:
        """Remove what a run wrote here, and nothing else.

        Raises:
            InputError: where a fold or an evaluation is being worked on; nothing is removed then.
        """
        every = [*self.path.glob("fold-*"), *self.path.glob("evaluation-*")]
        with ExitStack() as claims:
            for inner in every:
                claims.enter_context(claimed(inner))
            for inner in every:
                RunFolder(inner).clear()
        for inner in every:
            if not any(inner.iterdir()):
                inner.rmdir()
        self._remove_own()

    def _remove_own(self) -> None:
        for folder in (self.state, *map(self.file, ("tensorboard", "export", "explain"))):
            shutil.rmtree(folder, ignore_errors=True)
        self.sweep()
        for name in _OWN:
            self.file(name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the half-written files that a killed run left."""
        for folder in (self.path, self.state):
            for stray in folder.glob(_HALF_WRITTEN):
                stray.unlink(missing_ok=True)

    def write_config(self, config: TrainConfig) -> None:
        """Write `config.json`, the mark of a run folder."""
        write_json(self.file("config.json"), to_json(config))

    def write_history(self, history: list[dict[str, Any]]) -> None:
        """Write `history.csv`, one row an epoch."""
        with replacing(self.file("history.csv")) as temporary:
            pd.DataFrame(history).to_csv(temporary, index=False)

    def save_model(self, model: Any, name: str) -> None:
        """Save an inference model as `name.keras`."""
        with replacing(self.file(f"{name}.keras")) as temporary:
            model.save(temporary)

    def load_model(self, name: str = "best") -> Any:
        """Load `name.keras`, safely: no code in it is run.

        Raises:
            InputError: when it is missing or damaged.
        """
        import keras

        import mta.layers  # noqa: F401 (registers the layers)

        path = self.file(f"{name}.keras")
        if not path.exists():
            raise InputError(f"{path}: not found; is {self.path} the folder of a finished run?")
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: damaged or no model of ours ({str(error).splitlines()[0][:200]})") from error


def _of_a_start(path: Path) -> bool:
    """Whether `path` is what a run leaves that was killed before its `config.json`, or a fold of such a one."""
    return path.name in (*_FIRST, LOCK) or path.match("fold-*") or path.match(_HALF_WRITTEN)
