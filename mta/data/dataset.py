"""A patch store with everything that training and evaluation need to know about its rows."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from data_prep.concepts import RANDOM, random_concept
from data_prep.embeddings import Embeddings
from data_prep.errors import InputError
from data_prep.store import align_concepts, open_concepts
from mta.data.opening import input_shape, open_input
from mta.data.scale import Scale


@dataclass
class Dataset:
    """Patches or embeddings, roles and raw concept values, row by row.

    Attributes:
        patches: the open store, or the embeddings.
        roles: (n,) str, "" for a row that is not used.
        concepts: raw values (n, concepts), NaN where absent.
        name: what to call the source in messages.
    """

    patches: Any
    roles: np.ndarray
    concepts: pd.DataFrame
    name: str = ""
    _labels: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._labels = self.patches.rows["label"].to_numpy()

    @property
    def rows(self) -> pd.DataFrame:
        """The row table of the store."""
        return self.patches.rows

    @property
    def labels(self) -> np.ndarray:
        """(n,) 0 normal, 1 tumor, -1 unlabelled."""
        return self._labels

    def of(self, *roles: str) -> np.ndarray:
        """Positions of the rows in any of `roles`, ascending."""
        return np.flatnonzero(np.isin(self.roles, roles))

    @property
    def embedded(self) -> bool:
        """Whether the rows are embeddings in place of patches."""
        return isinstance(self.patches, Embeddings)

    @property
    def encoder(self) -> str:
        """What made the embeddings, as their files say; "" where they do not, and for patches."""
        return self.patches.encoder if isinstance(self.patches, Embeddings) else ""

    def shape(self) -> tuple[int, ...]:
        """The shape of an input: (side, side, 3) pixels, or (width,) of an embedding; `InputError` unless square."""
        shape = input_shape(self.patches)
        if not self.embedded and shape[0] != shape[1]:
            raise InputError(f"{self.name}: patches are {shape[0]} x {shape[1]}; the network takes square ones")
        return shape


def open_dataset(
    store: str,
    concepts: tuple[str, ...] | None,
    concept_file: str,
    seed: int,
    stored: bool = False,
    complete: bool = True,
) -> Dataset:
    """Open `store` with the named raw concepts; roles are still to be given.

    Args:
        store: what `open_input` takes.
        concepts: names wanted, None for all that are there; "random" is made here from `seed`.
        concept_file: another table for them, or "".
        seed: of the random control.
        stored: channels as the original files held them (BGR for Camelyon), not RGB.
        complete: refuse a table without one of the concepts; otherwise its values are NaN.

    Raises:
        InputError: for files that cannot be read and concepts that are not there.
    """
    patches = open_input(store, stored)
    table = _concepts(store, patches, concepts, concept_file)
    concepts = tuple(table) if concepts is None else concepts
    if RANDOM in concepts and RANDOM not in table:
        table[RANDOM] = random_concept(patches.rows, seed)
    absent = [name for name in concepts if name not in table]
    if absent and complete:
        raise InputError(
            f"{concept_file or store}: has no concept {', '.join(absent)}; it has {', '.join(table) or 'none'} "
            "(measure it, name another table with --concept-file, or choose --concepts)"
        )
    attributes = dict(table.attrs)
    table = table.reindex(columns=list(concepts))
    table.attrs.update(attributes)
    return Dataset(patches, patches.rows["role"].to_numpy(str), table, store)


def _concepts(store: str, patches: Any, concepts: tuple[str, ...] | None, concept_file: str) -> pd.DataFrame:
    if concepts is not None and not set(concepts) - {RANDOM}:
        return pd.DataFrame(index=patches.rows.index)
    if isinstance(patches, Embeddings) and not concept_file:
        return patches.concepts.copy()
    return align_concepts(open_concepts(concept_file or store), patches.rows)


def require_both_classes(data: Dataset, *roles: str) -> None:
    """Raise InputError unless each role that has rows has labelled ones of both classes."""
    for role in roles:
        labels = data.labels[data.of(role)]
        known = {0: "normal", 1: "tumor"}
        missing = [name for value, name in known.items() if not (labels == value).any()]
        if len(labels) and missing:
            raise InputError(
                f"{data.name}: role {role} has no {' and no '.join(missing)} patch; AUC needs both classes"
            )


@dataclass(frozen=True)
class Coding:
    """How rows become targets: the scale of each concept and the centres that are the domain classes."""

    scales: dict[str, Scale]
    centres: tuple[str, ...] = ()

    def domain(self, rows: pd.DataFrame) -> np.ndarray:
        """(n,) class number of each row's centre, -1 where it is unknown or was not in training."""
        return pd.Index(self.centres, dtype=object).get_indexer(rows["centre"].to_numpy(object)).astype(int)

    def targets(self, data: Dataset) -> dict[str, np.ndarray]:
        """Task name -> true values of every row: tumor (n, 1), domain (n, classes), concepts (n, 1), float32."""
        values = {"tumor": data.labels[:, None]}
        if self.centres:
            values["domain"] = np.vstack([np.eye(len(self.centres)), np.zeros(len(self.centres))])[
                self.domain(data.rows)
            ]
        for name, scale in self.scales.items():
            values[name] = scale.standardize(data.concepts[name].to_numpy(float))[:, None]
        return {name: np.asarray(value, "float32") for name, value in values.items()}
