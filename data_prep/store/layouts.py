"""What a path inside an HDF5 file says about its patches: class, level, centre, patient, slide.

Layouts of the original (`docs/formats.md`): `camelyon` (an array of patches a slide and class), `dense` (the same
with short names and batches), `demo` (one dataset a patch) and `pannuke`.
"""

import re
from dataclasses import dataclass, replace

from data_prep.store.rows import LABELS

_CAMELYON = re.compile(
    r"(?P<label>tumor|normal)/level(?P<level>\d+)/centre(?P<centre>\d+)/patient(?P<patient>\d+)"
    r"(?:_Mask)?(?:\.tif)?(?:/node(?P<node>\d+))?/patches"
)
_DENSE = re.compile(
    r"(?P<label>tumor|normal)/l(?P<level>\d+)/c(?P<centre>\d+)/p(?P<patient>\d+)(?:/n(?P<node>\d+))?/[^/]+/patches"
)
_PANNUKE = re.compile(r"(?:.+/)?(?P<label>tumor|normal)/center/patch")
_DEMO = re.compile(r"(?P<source>[^/]+)/(?P<entry>.+)/(?P<number>\d+)")
CAMELYON16, PANNUKE = "5", "6"


@dataclass(frozen=True)
class Place:
    """Where patches come from. The location grid has steps of 2**`level`; `source` is "" where not named."""

    layout: str
    entry: str
    label: int
    centre: str
    patient: str = ""
    slide: str = ""
    level: int = 0
    source: str = ""
    patch_no: int = 0

    @property
    def bgr(self) -> bool:
        """Whether the original stores these patches as BGR: all but PanNuke's."""
        return self.centre != PANNUKE


def locate(path: str) -> Place | None:
    """The place that the dataset `path` stands for, None where it is no patch dataset.

    Domain rule of the original: centres "0" to "4" are Camelyon17's, "5" Camelyon16, "6" PanNuke. Camelyon16
    has no node. Patients are the same person in every database of Camelyon17, so their names carry the data
    set and not the file: `camelyon17_patient010`, `camelyon16_patient042`. PanNuke names no patient.
    """
    for layout, pattern in (("camelyon", _CAMELYON), ("dense", _DENSE)):
        if match := pattern.fullmatch(path):
            return _camelyon(layout, path, match)
    if match := _PANNUKE.fullmatch(path):
        return Place("pannuke", path, LABELS[match["label"]], PANNUKE)
    return _demo(path)


def _camelyon(layout: str, path: str, match: re.Match[str]) -> Place:
    node = match["node"]
    patient = f"camelyon{16 if node is None else 17}_patient{int(match['patient']):03d}"
    slide = patient if node is None else f"{patient}_node{int(node)}"
    centre = CAMELYON16 if node is None else str(int(match["centre"]))
    return Place(layout, path, LABELS[match["label"]], centre, patient, slide, int(match["level"]))


def _demo(path: str) -> Place | None:
    match = _DEMO.fullmatch(path)
    inner = locate(match["entry"]) if match else None
    if match is None or inner is None or inner.layout == "demo":
        return None
    return replace(inner, layout="demo", source=match["source"], patch_no=int(match["number"]))


def is_slide_group(path: str) -> bool:
    """Whether the group `path` is the place of one slide and class, which must hold `patches`."""
    inner = locate(f"{path}/patches")
    return inner is not None and inner.layout in ("camelyon", "dense")
