"""Camelyon17's table of stages, and what is made of nodes with nothing but isolated tumor cells (ITC)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from data_prep.cohorts.camelyon import camelyon_entry
from data_prep.cohorts.entry import NORMAL, TUMOR, SlideEntry
from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.store.cells import read_cells
from data_prep.store.words import counted

_NODES = {"negative": NORMAL, "micro": TUMOR, "macro": TUMOR}
ITC = "itc"
# policy -> what it does, for the line that a run prints
ITC_POLICIES: Mapping[str, str] = {
    "negative": "nodes with isolated tumor cells only (ITC) count as negative: their annotations are not used",
    "tumor": "nodes with isolated tumor cells only (ITC) count as tumor, where they are annotated",
    "leave-out": "nodes with isolated tumor cells only (ITC) are left out",
}


def apply_stages(entries: Sequence[SlideEntry], stages: str | Path, itc: str = "negative") -> list[SlideEntry]:
    """`entries` with the labels of Camelyon17's table `stages` (`patient,stage`: a line a node, and one a patient).

    Negative nodes are wholly normal; micro and macro hold tumor. Those of stage `itc` follow `itc`, one of
    `ITC_POLICIES`: by the challenge's rules they count as negative, although they hold a few tumor cells. A run should
    print the policy. Slides that the table does not name stay as they are, with a warning. Raises `InputError` where it
    names none of them, for another stage or policy, and for a negative node with an annotation.
    """
    if itc not in ITC_POLICIES:
        raise InputError(f"there is no ITC policy {itc!r}; take one of {', '.join(ITC_POLICIES)}")
    known = _read(Path(stages))
    _require_named(Path(stages), entries, known)
    staged = [_staged(entry, known.get(entry.slide, ""), itc) for entry in entries]
    return [entry for entry in staged if entry is not None]


def _require_named(path: Path, entries: Sequence[SlideEntry], known: Mapping[str, str]) -> None:
    """Raise `InputError` where `known` has none of `entries`, whose names are others; warn where it lacks some."""
    missing = [entry.slide for entry in entries if entry.slide not in known]
    if entries and len(missing) == len(entries):
        raise InputError(
            f"{path}: none of these slides is in the table of stages ({missing[0]!r}, for one); add --cohort camelyon, "
            "or name them as camelyon17_patient004_node4 in the column name of their table"
        )
    if missing:
        warn(
            f"{path}: {counted(len(missing), 'slide')} without a stage there stay as they are ({missing[0]!r}, for one)"
        )


def _read(path: Path) -> dict[str, str]:
    """Slide -> stage."""
    frame = read_cells(path)
    if missing := [name for name in ("patient", "stage") if name not in frame]:
        raise InputError(f"{path}: no column {', '.join(missing)}; give Camelyon17's stages (patient,stage)")
    nodes = frame[~frame["patient"].str.endswith(".zip")]
    if strange := sorted(set(nodes["stage"]) - {*_NODES, ITC}):
        raise InputError(
            f"{path}: unknown stages {', '.join(map(repr, strange[:5]))}; nodes are negative, itc, micro, macro"
        )
    return {
        camelyon_entry(Path(name)).slide: stage for name, stage in zip(nodes["patient"], nodes["stage"], strict=True)
    }


def _staged(entry: SlideEntry, stage: str, itc: str) -> SlideEntry | None:
    if stage == ITC:
        return _isolated(entry, itc)
    if stage == "negative" and entry.annotation is not None:
        raise InputError(f"{entry.annotation}: {entry.slide} is negative by the table of stages, yet annotated")
    return replace(entry, label=_NODES[stage]) if stage else entry


def _isolated(entry: SlideEntry, itc: str) -> SlideEntry | None:
    if itc == "leave-out":
        return None
    return replace(entry, label=NORMAL, annotation=None) if itc == "negative" else replace(entry, label=TUMOR)
