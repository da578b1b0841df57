"""What a run needs to go on as if it had never stopped: one file an epoch, and one for the epoch under way."""

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

_FINISHED, _UNDER_WAY = "epoch-?????.npz", "epoch-*-batch-*.npz"
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
        batches: batches of the next epoch that the newest state holds already.
    """

    phase: int = 0
    phase_epochs: int = 0
    best: float = float("inf")
    phase_best: float = float("inf")
    wait: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0

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
    progress and the states of Python's and NumPy's generators; within an epoch also the running means.

    Of finished epochs the newest two files are kept, of the epoch under way the newest.
    """
    arrays = {f"variable_{i}": _value(variable) for i, variable in enumerate(network.changing)}
    arrays |= {f"optimizer_{i}": _value(v) for i, v in enumerate(network.training.optimizer.variables)}
    if progress.batches:
        arrays |= {f"metric_{i}": _value(v) for i, v in enumerate(network.training.metrics_variables)}
    meta = {"progress": dataclasses.asdict(progress), "python": random.getstate(), "numpy": _numpy_state()}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype="uint8")
    part = f"-batch-{progress.batches:08d}" if progress.batches else ""
    path = folder / f"epoch-{progress.epoch:05d}{part}.npz"
    with replacing(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    forget_midway(folder, but=path)
    for old in _states(folder, _FINISHED)[:-KEEP]:
        old.unlink()


def forget_midway(folder: Path, but: Path | None = None) -> None:
    """Remove the states of unfinished epochs, `but` one."""
    for old in _states(folder, _UNDER_WAY):
        if old != but:
            old.unlink()


def load_progress(folder: Path, midway: bool = True) -> Found | None:
    """Progress and arrays of the newest readable state in `folder`; None when there is none.

    `midway`: also of those within an epoch.
    """
    for path in reversed(_states(folder) if midway else _states(folder, _FINISHED)):
        try:
            with open(path, "rb") as raw:
                return _read(raw)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            warn(f"{path}: damaged ({error}); going back to the one before it")
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


def restore(network: Network, arrays: dict[str, Any]) -> list[np.ndarray]:
    """Put what `load_progress` read back into `network` (of the same phase) and the random generators.

    Returns the running means of an unfinished epoch, which Keras resets before it goes on.
    """
    for i, variable in enumerate(network.changing):
        variable.assign(arrays[f"variable_{i}"])
    if network.standardization is not None:
        network.standardization.finalize_state()  # it computes with copies of its weights
    for i, variable in enumerate(network.training.optimizer.variables):
        variable.assign(arrays[f"optimizer_{i}"])
    version, internal, gauss = arrays["generators"]["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = arrays["generators"]["numpy"]
    np.random.set_state((name, np.array(keys, "uint32"), *rest))
    return [arrays[f"metric_{i}"] for i in range(sum(name.startswith("metric_") for name in arrays))]


def _value(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _numpy_state() -> list[Any]:
    name, keys, *rest = np.random.get_state()
    return [name, np.asarray(keys).tolist(), *rest]


def _states(folder: Path, pattern: str = "epoch-*.npz") -> list[Path]:
    """The states in `folder`, from old to new; those within an epoch come after that of its start."""
    return sorted(folder.glob(pattern), key=lambda path: path.stem)
