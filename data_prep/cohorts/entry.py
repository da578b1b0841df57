"""A slide of a cohort."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from data_prep.errors import InputError

NORMAL, TUMOR = "normal", "tumor"


@dataclass(frozen=True)
class SlideEntry:
    """One slide: file, names for the rows of its patches ("" = unknown), annotation, scale.

    `mpp`: micrometres a level-0 pixel in place of the file's own. `label`: "normal" where the whole slide is free of
    tumor, so that all its tissue is normal; "tumor" where it has some, which an annotation must locate; "" unknown.
    `role`: as in a split table.
    """

    path: Path
    slide: str
    patient: str = ""
    centre: str = ""
    annotation: Path | None = None
    mpp: float | None = None
    label: str = ""
    role: str = ""


def require_different(entries: Iterable[SlideEntry]) -> None:
    """Raise `InputError` where two slides have one name: their patches could not be told apart."""
    entries = list(entries)
    counts = Counter(entry.slide for entry in entries)
    if twice := [entry for entry in entries if counts[entry.slide] > 1]:
        paths = f"{twice[0].path} and {next(e.path for e in twice[1:] if e.slide == twice[0].slide)}"
        raise InputError(
            f"{paths}: two slides called {twice[0].slide!r}; tell them apart by a column `name` in a table"
        )
