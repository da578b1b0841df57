"""The rows of `probe.csv`: one number each, with what it may vary by and what chance gives."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

NAN = float("nan")
Interval = tuple[float, float]


@dataclass(frozen=True)
class Fact:
    """One measured number.

    Attributes:
        run, layer, target, role: what was measured: a run by its name, a layer of it, a concept or `tumor`, `centre`,
            on the rows of a role.
        measure: what was computed, as in docs/explain.md.
        value: the number.
        low, high: its 95 % interval over patients, NaN where there is none.
        null_low, null_high: where 95 % of the values lie under shuffled targets.
        p: how often those are as large (of sensitivities: as far from 0).
        rows, patients: that it was measured on.
    """

    run: str
    layer: str
    target: str
    role: str
    measure: str
    value: float
    low: float = NAN
    high: float = NAN
    null_low: float = NAN
    null_high: float = NAN
    p: float = NAN
    rows: int = 0
    patients: int = 0


COLUMNS = [field.name for field in fields(Fact)]


def fact_table(facts: Iterable[Fact]) -> pd.DataFrame:
    """`facts`, a row each, in their order."""
    return pd.DataFrame([asdict(fact) for fact in facts], columns=COLUMNS)


def band(null: np.ndarray) -> Interval:
    """The central 95 % of `null` (n,); NaN where it is empty."""
    if not len(null):
        return NAN, NAN
    low, high = np.quantile(null, [0.025, 0.975])
    return float(low), float(high)
