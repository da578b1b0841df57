"""What a run needs to go on as if it had never stopped, one file an epoch."""

import dataclasses
import io
import json
import random
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np

from data_prep.console import warn
from data_prep.files import replacing
from mta.training.network import Network

Found = tuple["Progress", dict[str, Any]]

KEEP = 2  # should the newest be damaged, the one before it costs an epoch


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        phase: number of the current phase, from 0.
        phase_epochs: epochs finished in it.
        best: best monitored value of what `best.keras` holds.
        phase_best: best monitored value of this phase, for early stopping.
        wait: epochs since then.
        history: one row for each finished epoch of the run.
    """

    phase: int = 0
    phase_epochs: int = 0
    best: float = float("inf")
    phase_best: float = float("inf")
    wait: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Finished epochs of the whole run."""
        return len(self.history)

    def next_phase(self, keep_best: bool) -> None:
        """Step into the next phase; `keep_best` lets the best of the last one stand (B-20)."""
        self.phase, self.phase_epochs, self.phase_best, self.wait = self.phase + 1, 0, float("inf"), 0
        self.best = self.best if keep_best else float("inf")


def save_state(folder: Path, progress: Progress, network: Network) -> None:
    """Write everything that changes to `folder`: weights, log-variances, reversal strength, dropout seeds, optimizer,
    progress and the states of Python's and NumPy's generators. Older files but the last are removed."""
    arrays = {f"variable_{i}": _value(variable) for i, variable in enumerate(network.changing)}
    arrays |= {f"optimizer_{i}": _value(v) for i, v in enumerate(network.training.optimizer.variables)}
    meta = {"progress": dataclasses.asdict(progress), "python": random.getstate(), "numpy": _numpy_state()}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype="uint8")
    with replacing(folder / f"epoch-{progress.epoch:05d}.npz") as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    for old in _states(folder)[:-KEEP]:
        old.unlink()


def load_progress(folder: Path) -> Found | None:
    """Progress and arrays of the newest readable state in `folder`; None when there is none."""
    for path in reversed(_states(folder)):
        try:
            with open(path, "rb") as raw:
                return _read(raw)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            warn(f"{path}: damaged ({error}); going back an epoch")
    return None


def _read(raw: IO[bytes]) -> Found:
    with np.load(raw, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(arrays.pop("meta").tobytes())
    return Progress(**meta["progress"]), arrays | {"generators": meta}


def to_bytes(found: Found | None) -> bytes:
    """What `load_progress` returned, to be passed on to another process."""
    if found is None:
        return b""
    arrays, raw = dict(found[1]), io.BytesIO()
    meta = np.frombuffer(json.dumps(arrays.pop("generators")).encode(), dtype="uint8")
    np.savez(raw, allow_pickle=False, **{**arrays, "meta": meta})
    return raw.getvalue()


def from_bytes(data: bytes) -> Found | None:
    """The inverse of `to_bytes`."""
    return _read(io.BytesIO(data)) if data else None


def restore(network: Network, arrays: dict[str, Any]) -> None:
    """Put what `load_progress` read back into `network` (of the same phase) and the random generators."""
    for i, variable in enumerate(network.changing):
        variable.assign(arrays[f"variable_{i}"])
    for i, variable in enumerate(network.training.optimizer.variables):
        variable.assign(arrays[f"optimizer_{i}"])
    version, internal, gauss = arrays["generators"]["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = arrays["generators"]["numpy"]
    np.random.set_state((name, np.array(keys, "uint32"), *rest))


def _value(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _numpy_state() -> list[Any]:
    name, keys, *rest = np.random.get_state()
    return [name, np.asarray(keys).tolist(), *rest]


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*.npz"))
