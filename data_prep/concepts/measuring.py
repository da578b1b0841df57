"""Concepts of patches, one or many."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from data_prep.concepts.catalog import Concept
from data_prep.concepts.patch import Patch, checked
from data_prep.concepts.registry import chosen
from data_prep.errors import InputError


def measure(
    image: np.ndarray, labels: np.ndarray | None, mpp: float | None, only: Iterable[str] | None = None
) -> dict[str, float]:
    """All concepts of one patch, or those named in `only`: name -> value, units in `UNITS`.

    `image`: RGB `uint8` (h, w, 3). `labels`: integers (h, w), 0 = background, one number a nucleus, or PanNuke's
    (h, w, 6); None where no wanted concept is of nuclei. `mpp`: micrometres a pixel; where it is None or NaN, what is
    in micrometres is NaN. Without nuclei `ncount`, `ndensity` and `ntissue_ratio` are 0 (the latter NaN without tissue)
    and what is averaged over nuclei is NaN. Raises `InputError` on arrays of another kind and on unknown names.
    """
    return _values(checked(image, labels, mpp), chosen(only))


def measure_many(
    images: np.ndarray, labels: np.ndarray | None, rows: pd.DataFrame, only: Iterable[str] | None = None
) -> pd.DataFrame:
    """The concepts of patches (n, h, w, 3) with `labels` (n, h, w[, 6]) and `rows` (n): float64 columns, one a concept.

    `mpp` is that of each row. The index is that of `rows`, `attrs["units"]` holds the units. Raises `InputError` that
    names the patch.
    """
    return measure_rows(images, labels, rows, chosen(only))


def measure_rows(
    images: np.ndarray, labels: np.ndarray | None, rows: pd.DataFrame, concepts: Mapping[str, Concept]
) -> pd.DataFrame:
    """As `measure_many`, of `concepts` that need not be registered."""
    masks: Iterable = [None] * len(rows) if labels is None else labels
    columns = zip(images, masks, rows.itertuples(), strict=True)
    table = pd.DataFrame([_of_row(*each, concepts) for each in columns], rows.index, list(concepts), "float64")
    table.attrs["units"] = {name: concept.unit for name, concept in concepts.items()}
    return table


def _of_row(image: np.ndarray, labels: np.ndarray | None, row: tuple, concepts: Mapping[str, Concept]) -> dict:
    try:
        return _values(checked(image, labels, row.mpp), concepts)  # type: ignore[attr-defined]
    except InputError as error:
        raise InputError(f"{patch_name(row)}: {error}") from error


def patch_name(row: tuple) -> str:
    """How a message calls the patch of a row of the row table."""
    return f"patch {row.source} {row.entry} #{row.patch_no}"  # type: ignore[attr-defined]


def _values(patch: Patch, concepts: Mapping[str, Concept]) -> dict[str, float]:
    found: dict[str, float] = {}
    for measurer in dict.fromkeys(concept.measurer for concept in concepts.values()):
        found |= measurer(patch)
    return {name: found[name] for name in concepts}
