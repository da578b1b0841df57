"""Near-duplicate patches that serve in different roles."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.splits.hamming import close_pairs
from data_prep.splits.phash import Fingerprints, fingerprints, views
from data_prep.store import Patches

DISTANCE = 10
"""Bits of 64 in which the hashes of two near-duplicates differ at most; docs/splits.md says how it was chosen."""
ALIKE = 0.6
"""Least correlation of their small gray pictures."""
MOST_PAIRS = 1_000_000
_PIECE = 1 << 14  # pairs whose pictures are compared at a time, which takes 6 KiB each
_PAIRS = ["first", "second", "distance", "alike"]

# Wraps the iteration over the starts of blocks, for a progress bar.
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class NearDuplicates:
    """What was found among `compared` patches; `flat` further ones show too little to be compared.

    `pairs`: one line a pair with the row numbers `first` < `second`, the `distance` of their hashes in bits and how
    `alike` they are (correlation). `cut`: the search stopped after `MOST_PAIRS`.
    """

    pairs: pd.DataFrame
    compared: int
    flat: int
    cut: bool = False


def near_duplicates(patches: Patches, tables: Sequence[np.ndarray], progress: Progress = iter) -> NearDuplicates:
    """Pairs of near-duplicate patches that one of `tables` (roles (n,) each) puts into two roles.

    A pair are patches whose perceptual hashes differ in at most `DISTANCE` bits, one of them in any of its eight
    orientations, and whose small gray pictures correlate by `ALIKE` or more in that orientation; color and brightness
    do not matter. Flat patches are left out. Reads every patch once; memory holds 320 bytes a patch.
    """
    prints = _fingerprints(patches, progress)
    groups = _groups(tables)
    flat = prints.flat()
    chosen = np.flatnonzero((groups >= 0) & ~flat)
    pairs, cut = search(Fingerprints(prints.hashes[chosen], prints.thumbs[chosen]), groups[chosen])
    pairs[["first", "second"]] = chosen[pairs[["first", "second"]].to_numpy()]
    return NearDuplicates(pairs, len(chosen), int((flat & (groups >= 0)).sum()), cut)


def _fingerprints(patches: Patches, progress: Progress) -> Fingerprints:
    blocks = [
        fingerprints(patches.read(start, start + patches.block))
        for start in progress(range(0, len(patches), patches.block))
    ]
    return Fingerprints(*map(np.concatenate, zip(*blocks, strict=True)))


def _groups(tables: Sequence[np.ndarray]) -> np.ndarray:
    """A number (n,) that two rows share when every table gives them one role; -1 for rows without any."""
    roles = np.stack([np.asarray(table, dtype=str) for table in tables], axis=1)
    groups = np.unique(roles, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where((roles == "").all(axis=1), -1, groups)


def search(prints: Fingerprints, groups: np.ndarray) -> tuple[pd.DataFrame, bool]:
    """The pairs of different `groups` (n,) among `prints`, and whether there are more than `MOST_PAIRS`.

    A pair has a member outside the largest group, so only those are turned about and looked up.
    """
    found = [np.empty((0, 4))]
    if not len(groups):
        return _table(found), False
    asking = np.flatnonzero(groups != np.bincount(groups).argmax())
    count = 0
    for block in _pieces(close_pairs(prints.hashes[asking].ravel(), prints.hashes[:, 0], DISTANCE)):
        first, view, second = asking[block[:, 0] // 8], block[:, 0] % 8, block[:, 1]
        other = groups[first] != groups[second]
        likeness = _likeness(prints.thumbs, first[other], view[other], second[other])
        lines = np.column_stack([first[other], second[other], block[other, 2], likeness])[likeness >= ALIKE]
        found.append(lines)
        count += len(lines)
        if count > MOST_PAIRS:
            return _table(found), True
    return _table(found), False


def _pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        yield from (block[start : start + _PIECE] for start in range(0, len(block), _PIECE))


def _likeness(thumbs: np.ndarray, first: np.ndarray, view: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation (k,) of the pictures `first`, each in its `view`, with `second`."""
    turned = views(thumbs[first])[np.arange(len(first)), view]
    return (_standardized(turned) * _standardized(thumbs[second])).sum(axis=1)


def _standardized(thumbs: np.ndarray) -> np.ndarray:
    """(k, 256): mean 0, length 1."""
    values = thumbs.reshape(len(thumbs), thumbs.shape[1] * thumbs.shape[2]).astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def _table(found: list[np.ndarray]) -> pd.DataFrame:
    """Each pair once, at its smallest distance, ordered by row."""
    lines = np.concatenate(found)
    table = pd.DataFrame(np.column_stack([np.sort(lines[:, :2], axis=1), lines[:, 2:]]), columns=_PAIRS)
    table = table.astype({"first": "int64", "second": "int64", "distance": "int64"})
    table = table.sort_values(["first", "second", "distance", "alike"], ascending=[True, True, True, False])
    return table.drop_duplicates(["first", "second"], ignore_index=True)
