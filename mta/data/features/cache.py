"""A feature cache: found or made, filled as far as there is room, read by row."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.console import progress, say, warn
from data_prep.files import explain_write_failure
from mta.data.features.computing import BATCH, Computing
from mta.data.features.file import FeatureFile
from mta.data.features.folder import GB, CacheFolder, locked
from mta.data.features.key import key_name
from mta.frozen import FEATURE


class FeatureCache:
    """The tensors that cross the cut of a network for the patches of a store, in one or eight views.

    Nothing depends on how much of it is on disk: what is not there, or is damaged, is computed when it is asked for.

    Args:
        home: the folder of all caches.
        key: from `cache_key`.
        name: of the store, for people.
        count: rows of the store.
        computing: what makes the tensors.
    """

    def __init__(self, home: CacheFolder, key: dict[str, Any], name: str, count: int, computing: Computing) -> None:
        self._home, self._name, self._computing, self.views = home, key_name(key), computing, int(key["views"])
        self.dtype = str(key["dtype"])
        self._open = ExitStack()
        self.folder: Path = home.take(self._name, {"of": name, **key})
        self._open.enter_context(locked(self.folder / "use.lock", wait=True, shared=True))
        shapes = [tuple(shape) for shape in key["shapes"]]
        self._file = FeatureFile(self.folder, count * self.views, shapes, key["dtype"])
        self._open.callback(self._file.close)

    def close(self) -> None:
        """Let go of the files, which another run may then remove to make room."""
        self._open.close()

    def fill(self, rows: np.ndarray, quiet: bool) -> None:
        """Compute what is missing for `rows`, as far as limit and disk allow, and say so before."""
        entries = (np.sort(rows)[:, None] * self.views + np.arange(self.views)).ravel()
        if self._file.present(entries).all():
            return
        with locked(self.folder / "build.lock", wait=False) as mine:
            if mine:
                return self._build(entries, quiet)
        say(f"{self.folder}: another run is computing these features; waiting for it")
        with locked(self.folder / "build.lock", wait=True):
            self._build(entries, quiet)

    def _build(self, entries: np.ndarray, quiet: bool) -> None:
        missing = entries[~self._file.present(entries)]
        chosen = self._affordable(missing, quiet)
        blocks = np.split(chosen, np.flatnonzero(np.diff(chosen // BATCH)) + 1)
        try:
            for block in progress(blocks if len(chosen) else [], "batches of features computed", quiet=quiet):
                self._file.write(block, self._computing.block(block))
            self._file.flush()
        except OSError as error:
            warn(f"{explain_write_failure(self.folder, error)}; what has no room is computed anew in every epoch")

    def _affordable(self, missing: np.ndarray, quiet: bool) -> np.ndarray:
        """The first of `missing` that there is room for."""
        each = self._file.record_bytes
        room = self._home.room(self._name, len(missing) * each) // each if len(missing) else 0
        if not quiet and len(missing):
            say(
                f"{self.folder}: what frozen layers make of {len(missing)} patches (or views of them) is computed once "
                f"and kept: {len(missing) * each / GB:.3g} GB"
            )
        if room < len(missing):
            warn(
                f"there is room for {room} of them; the others are computed anew in every epoch "
                "(--cache-limit, --cache-dir and --cache-dtype float16 give more room)"
            )
        return missing[:room]

    def error(self, rows: np.ndarray, upper: Any) -> float:
        """Largest relative difference that the numbers on disk make to an output of `upper`, over `rows`.

        Relative to the largest magnitude of that output.
        """
        exact = self._computing.any(rows * self.views)
        outputs = [upper.predict_on_batch(named(tensors)) for tensors in (exact, self.take(rows))]
        pairs = [(np.asarray(outputs[0][name]), np.asarray(outputs[1][name])) for name in outputs[0]]
        return max(float(np.abs(one - other).max() / np.abs(one).max()) for one, other in pairs)

    def take(self, rows: np.ndarray, views: np.ndarray | int = 0) -> list[np.ndarray]:
        """The tensors (n, …) float32 of `rows` (n,) in their `views` (n,)."""
        entries = rows * self.views + views
        tensors, good = self._file.read(entries)
        if not good.all():
            for tensor, computed in zip(tensors, self._computing.any(entries[~good]), strict=True):
                tensor[~good] = computed
        return tensors


def named(tensors: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The inputs of the upper part of a network."""
    return {FEATURE.format(k): tensor for k, tensor in enumerate(tensors)}
