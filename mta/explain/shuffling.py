"""Rows shuffled so that what patients share stays together: the null of a test on patches of patients."""

import numpy as np


def shuffled_rows(patients: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """For each row (n,) the row whose value it is given: patients change places, and rows within each.

    Values of one patient stay side by side (in one patient where patients have equally many rows), so that shuffled
    values are as alike within patients as true ones. Shuffled one by one they would not be, and every chance likeness
    of two patients would look significant. Of one patient the rows are shuffled.
    """
    _, group = np.unique(patients, return_inverse=True)
    place = generator.permutation(group.max() + 1)[group]
    source = np.lexsort((generator.random(len(group)), place))
    shuffled = np.empty(len(group), dtype=np.intp)
    shuffled[np.argsort(group, kind="stable")] = source
    return shuffled


def shuffled_columns(values: np.ndarray, patients: np.ndarray, times: int, seed: int) -> np.ndarray:
    """`values` (n,) shuffled by patient `times` times, (n, times)."""
    generator = np.random.default_rng(seed)
    columns = [values[shuffled_rows(patients, generator)] for _ in range(times)]
    return np.stack(columns, axis=1) if times else np.empty((len(values), 0), values.dtype)


def p_value(observed: float, null: np.ndarray) -> float:
    """How often a value of `null` (n,) is as large as `observed`, itself counted among them (Phipson & Smyth 2010)."""
    if not len(null) or np.isnan(observed):
        return float("nan")
    return float((1 + (null >= observed).sum()) / (1 + len(null)))
