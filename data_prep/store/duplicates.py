"""Patches with equal pixels, within a file and across files."""

from collections import defaultdict
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.store.finding import Finding, slide_names
from data_prep.store.words import counted

_LABELS = "labelled both normal and tumor"
_PATIENTS = "under different patients"
_REMEDY = "; one of them is wrong: check where they come from"
# One case: what is wrong with it ("" = nothing), the files and the slides that share the pixels.
_Case = tuple[str, tuple[str, ...], tuple[str, ...]]


class Duplicates:
    """Collects the digests of patches (16 bytes each) and says which are equal."""

    def __init__(self) -> None:
        self._seen: dict[bytes, list[int]] = defaultdict(list)
        self._tables: list[pd.DataFrame] = []
        self._count = 0

    def add(self, path: Path, rows: pd.DataFrame, patches: np.ndarray) -> None:
        """Remember `patches` (n, h, w, 3) of the file `path`; `rows` are their rows."""
        for number, patch in enumerate(patches, self._count):
            self._seen[blake2b(patch, digest_size=16).digest()].append(number)
        table = rows[["patient", "label", "patch_no"]].assign(file=str(path), name=slide_names(rows), row=rows.index)
        self._tables.append(table)
        self._count += len(rows)

    def findings(self) -> list[Finding]:
        """One finding for each combination of slides that share patches.

        Equal pixels under two patients leak from training to test, and under two labels cannot both be right:
        problems. Within one patient, or where a patient is unknown, they are a warning.
        """
        groups = [numbers for numbers in self._seen.values() if len(numbers) > 1]
        if not groups:
            return []
        table = pd.concat(self._tables, ignore_index=True)
        cases: dict[_Case, list[pd.DataFrame]] = defaultdict(list)
        for numbers in groups:
            members = table.loc[numbers]
            cases[_case(members)].append(members)
        return [_finding(case, members) for case, members in cases.items()]


def _case(members: pd.DataFrame) -> _Case:
    kind = ""
    if len(set(members["label"]) - {-1}) > 1:
        kind = _LABELS
    elif len(set(members["patient"]) - {""}) > 1:
        kind = _PATIENTS
    return kind, tuple(sorted(set(members["file"]))), tuple(sorted(set(members["name"])))


def _finding(case: _Case, groups: list[pd.DataFrame]) -> Finding:
    kind, files, _ = case
    example = ", ".join(f"row {member.row} ({member.name} #{member.patch_no})" for member in _first(groups[0]))
    count = sum(map(len, groups))
    text = f"{count} patches hold only {counted(len(groups), 'different picture')}{kind and f', {kind}'}, as {example}"
    # Which one is wrong cannot be told from here, and one of the slides is sound: none is to be made again unseen.
    return Finding(", ".join(files), text + (kind and _REMEDY), bool(kind))


def _first(members: pd.DataFrame) -> list:
    return list(members.head(3).itertuples(index=False))
