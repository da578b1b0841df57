"""Paths in the name of a segmenter, and the files that belong to a patch."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from data_prep.errors import InputError

_WITH_MPP = re.compile(r"(?P<path>.+)@(?P<mpp>[0-9.]+)")


def split_mpp(text: str) -> tuple[Path, float | None]:
    """Path and micrometres a pixel of `PATH@MPP`, None where no number follows an @."""
    match = _WITH_MPP.fullmatch(text)
    if match is None:
        return Path(text), None
    try:
        mpp = float(match["mpp"])
    except ValueError:
        mpp = 0.0
    if not 0 < mpp < 100:
        raise InputError(f"{text}: {match['mpp']} is no resolution; write micrometres a pixel, as @0.25")
    return Path(match["path"]), mpp


def require_folder(path: Path, purpose: str) -> None:
    """Raise `InputError` where `path` is no folder."""
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder; name the one with {purpose}")


def find_file(folder: Path, row: Any, endings: Sequence[str]) -> Path | None:
    """The file in `folder` for the patch `row`, None where there is none.

    Its name is the patch's entry, whole or less leading folders, without its ending, then `_` and the number of the
    patch, which the first of an entry may lack; so `images/a.png` #0 has `images/a_0`, `images/a`, `a_0` or `a`.
    """
    for name in _names(str(row.entry), int(row.patch_no)):
        for ending in endings:
            if (path := folder / f"{name}{ending}").is_file():
                return path
    return None


def _names(entry: str, number: int) -> Iterator[str]:
    """From the most to the least particular; the entry is of a file, so no name may lead out of the folder."""
    parts = [part for part in re.split(r"[/\\]", entry) if part not in ("", ".", "..")]
    if parts:
        parts[-1] = _stem(parts[-1])
    for first in range(len(parts)):
        for stem in ("/".join(parts[first:]), "_".join(parts[first:])):
            yield f"{stem}_{number}"
            if number == 0:
                yield stem


def _stem(name: str) -> str:
    """`name` without the ending of an image; a dot in the name of a slide is none."""
    return re.sub(r"\.(png|jpe?g|tiff?|bmp|npy)$", "", name, flags=re.IGNORECASE)


def describe(row: Any) -> str:
    """The patch `row` in the words of an error."""
    return f"{row.source} {row.entry} #{row.patch_no}"
