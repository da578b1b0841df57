"""Holding a written export against the run's own network."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.splits import read_split
from mta.data.dataset import Coding
from mta.data.opening import open_input
from mta.trained import Trained

PATCHES = 16
TOLERANCE = 1e-4
_SEARCHED = (("internal_test", "external_test"), ("validation",), ("train",))


@dataclass(frozen=True)
class Sample:
    """Patches to check with, and the rows of the run.

    Attributes:
        values: (n, side, side, 3) uint8, stain-normalized as the run does, or embeddings (n, width) float32.
        source: what they are, in words.
        rows: a row a patch of the run: patient, slide, centre, role; label and mpp where the store is at hand.
    """

    values: np.ndarray
    source: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class Check:
    """The result of reading a written export back.

    Attributes:
        source: what it was fed, in words.
        patches: how many.
        differences: output -> largest |difference| relative to the output's scale; None when it was not read back.
    """

    source: str
    patches: int
    differences: dict[str, float] | None

    def summary(self) -> str:
        """One phrase for people."""
        if self.differences is None:
            return "not checked, since ONNX Runtime is not installed"
        worst = max(self.differences.values())
        return f"answers like the run's own model on {self.patches} patches (largest relative difference {worst:.1g})"


def draw_sample(trained: Trained) -> Sample:
    """The first 16 test patches of the run's own store, or random ones where it is gone or another."""
    split = trained.folder.file("split.csv")
    try:
        with open_input(trained.config.store, trained.stored_channels) as patches:
            trained.require_own_store()
            rows = patches.rows.assign(role=read_split(split, patches.rows))
            role, chosen = _first_rows(rows["role"].to_numpy(str))
            (values,) = trained.inputs(patches).take(chosen).values()
    except InputError as error:
        warn(f"the export is checked on random patches, since the run's store is not at hand: {error}")
        return Sample(_noise(trained), "random patches, since the run's store was not at hand", _rows(split))
    how = "as embedded" if trained.embedded else "stain-normalized"
    return Sample(values, f"patches of the run's own store ({role}), {how}", rows)


def _first_rows(roles: np.ndarray) -> tuple[str, np.ndarray]:
    for wanted in _SEARCHED:
        if len(found := np.flatnonzero(np.isin(roles, wanted))):
            return " and ".join(sorted(set(roles[found[:PATCHES]]))), found[:PATCHES]
    raise InputError("its split names no patch")


def _noise(trained: Trained) -> np.ndarray:
    generator, shape = np.random.default_rng(trained.config.seed), (PATCHES, *trained.shape)
    if trained.embedded:
        return generator.standard_normal(shape, np.float32)
    return generator.integers(0, 256, shape, dtype=np.uint8)


def _rows(split: object) -> pd.DataFrame:
    try:
        return pd.read_csv(str(split), dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{split}: not readable ({error}); train again") from error


def differences(expected: dict[str, np.ndarray], found: dict[str, np.ndarray], coding: Coding) -> dict[str, float]:
    """Largest |difference| of each output relative to its scale.

    The scale is the standard deviation over training rows for a concept, 1 for probabilities, and the largest
    magnitude (at least 1) for the logit.

    Raises:
        InputError: when the outputs have other names or shapes.
    """
    shapes = [{name: np.shape(values) for name, values in side.items()} for side in (expected, found)]
    if shapes[0] != shapes[1]:
        raise InputError(f"the written file answers {shapes[1]} where the model answers {shapes[0]}; nothing was kept")
    return {
        name: float(np.abs(values - found[name]).max() / _scale(name, values, coding))
        for name, values in expected.items()
    }


def _scale(name: str, values: np.ndarray, coding: Coding) -> float:
    largest = float(np.abs(values).max())
    if name not in coding.scales:
        return max(1.0, largest)
    # Two units in the last place must pass: float32 cannot write a concept far from zero more finely.
    finest = 2 * float(np.spacing(np.float32(largest))) / TOLERANCE
    return max(coding.scales[name].std, finest)


def require_equal(found: dict[str, float]) -> None:
    """Raise InputError when a relative difference is above 1e-4 or not a number."""
    for name, value in found.items():
        if not value <= TOLERANCE:
            raise InputError(
                f"the written file differs from the model: output {name} by {value:.2g} of its scale, more than "
                f"{TOLERANCE:g}; nothing was kept (try another --to)"
            )
