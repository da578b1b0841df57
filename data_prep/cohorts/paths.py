"""Slides named on a command line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from data_prep.annotations import annotation_for
from data_prep.cohorts.camelyon import camelyon_entry
from data_prep.cohorts.entry import NORMAL, SlideEntry, require_different
from data_prep.errors import InputError


def plain_entry(path: Path) -> SlideEntry:
    """A slide of which nothing is known but its file name."""
    return SlideEntry(path, path.stem)


# What a file name says of its slide.
RULES: Mapping[str, Callable[[Path], SlideEntry]] = {"plain": plain_entry, "camelyon": camelyon_entry}


def slides_from_paths(
    paths: Sequence[str | Path], annotations: str | Path | None = None, rule: str = "plain"
) -> list[SlideEntry]:
    """An entry for each of `paths`, in order; its annotation is the file of its name in the folder `annotations`.

    `rule`: one of `RULES`. Slides that are wholly normal have no annotation. Raises `InputError` for a file that is not
    there, a name that the rule does not know, two slides of one name, and two annotations of one slide.
    """
    if rule not in RULES:
        raise InputError(f"there is no cohort rule {rule!r}; take one of {', '.join(RULES)}, or a table (.csv)")
    entries = [RULES[rule](_present(Path(path))) for path in paths]
    require_different(entries)
    return [_annotated(entry, annotations) for entry in entries]


def _present(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path}: there is no such slide; check the path")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the slides in it, as in {path}/*.svs")
    return path


def _annotated(entry: SlideEntry, folder: str | Path | None) -> SlideEntry:
    if folder is None or not (found := annotation_for(entry.path, folder)):
        return entry
    if entry.label == NORMAL:
        raise InputError(f"{found}: {entry.path.name} is wholly normal by its name, yet annotated; which is wrong?")
    return replace(entry, annotation=found)
