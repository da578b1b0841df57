"""What was drawn on a slide, whatever the format."""

from dataclasses import dataclass, field
from typing import Any

TUMOR, EXCLUSION, UNUSED, ASIDE = "tumor", "exclusion", "unused", "aside"
# Camelyon16: tumor _0 and _1, cut out _2. Camelyon17: metastases, and normal tissue within them.
_TUMOR = ("_0", "_1", "metastases", "metastasis", "tumor", "tumour")
_EXCLUSION = ("_2", "exclusion", "normal")
# Not tumor and not normal either: pen, folds, what is out of focus.
_UNUSED = ("exclude", "ignore")
_KINDS = {name: kind for kind, names in ((TUMOR, _TUMOR), (EXCLUSION, _EXCLUSION), (UNUSED, _UNUSED)) for name in names}
KNOWN = f"tumor is {', '.join(_TUMOR)}; normal is {', '.join(_EXCLUSION)}; neither is {', '.join(_UNUSED)}"

Ring = tuple[tuple[float, float], ...]


# No slide is so large, and far beyond it geometry is no longer exact.
_FARTHEST = 1e9


def is_place(x: float, y: float) -> bool:
    """Whether (x, y) are numbers that a position on a slide can have."""
    return abs(x) < _FARTHEST and abs(y) < _FARTHEST


def meaning(name: str) -> str:
    """What a group or class stands for: tumor, exclusion (normal), unused (neither); aside where that is unknown.

    Case and spaces around do not count. QuPath marks classes that it does not measure with an asterisk ("Ignore*") and
    writes subclasses as "Tumor: Positive".
    """
    return _KINDS.get(name.partition(":")[0].strip().rstrip("*").casefold(), ASIDE)


@dataclass(frozen=True)
class Shape:
    """A polygon as it was drawn: its meaning, a name for messages, and rings of (x, y) in level-0 pixels.

    The first ring is the outline, the others are holes in it.
    """

    kind: str
    name: str
    rings: tuple[Ring, ...]


@dataclass
class Drawing:
    """The shapes of a file, the classes among them whose meaning is unknown, and notes on what else it holds."""

    shapes: list[Shape] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Annotation:
    """The tumor of a slide: a shapely geometry in level-0 pixels with all else cut out that is known, and notes.

    Notes say what was repaired, cut off or left aside, a short phrase each. `aside`: geometry of the regions that give
    no normal patches (None: there are none), as they are not to be used or may be tumor or not, since nobody knows what
    their classes mean. `unknown`: those classes.
    """

    tumor: Any
    notes: tuple[str, ...] = ()
    aside: Any = None
    unknown: tuple[str, ...] = ()
