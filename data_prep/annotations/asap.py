"""ASAP XML, the format of Camelyon's annotations."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

from data_prep.annotations.annotation import ASIDE, Drawing, Ring, Shape, is_place, meaning
from data_prep.annotations.files import read_bytes
from data_prep.errors import InputError

_AREAS = {"polygon", "rectangle", "spline"}


def read_asap(path: Path) -> Drawing:
    """The polygons of an ASAP file, by group, in level-0 pixels.

    Splines are taken as polygons through their points. Points, measurements and groups of unknown meaning are noted.
    Raises `InputError` where it is not whole XML, has entities or a document type, or is not ASAP's.
    """
    root = _parse(path)
    if root.tag != "ASAP_Annotations":
        raise InputError(f"{path}: begins with <{root.tag[:40]}>, not <ASAP_Annotations>; export it from ASAP as XML")
    drawing, ignored = Drawing(), Counter[str]()
    for node in root.iterfind("Annotations/Annotation"):
        kind, group = node.get("Type", ""), (node.get("PartOfGroup") or "None")[:40]
        if kind.casefold() not in _AREAS:
            ignored[f"of type {kind or 'none'}, which has no area"] += 1
            continue
        if meaning(group) == ASIDE:
            ignored[f"in group {group}, whose meaning is unknown"] += 1
            drawing.unknown.add(group)
        drawing.shapes.append(Shape(meaning(group), node.get("Name") or "unnamed", (_points(path, node),)))
    drawing.notes += [f"left aside: {count} {what}" for what, count in sorted(ignored.items())]
    return drawing


def _parse(path: Path) -> Any:
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError:
        raise InputError('XML is read by defusedxml, which is missing: pip install "mta[slides]"') from None
    try:
        return fromstring(read_bytes(path), forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(f"{path}: has entities or a document type, which annotations never need; refused") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: not whole XML ({error}); export or copy it again") from error


def _points(path: Path, node: Any) -> Ring:
    """The corners in their Order."""
    corners = [_corner(path, node, place) for place in node.iterfind("Coordinates/Coordinate")]
    return tuple((x, y) for _, x, y in sorted(corners, key=lambda corner: corner[0]))


def _corner(path: Path, node: Any, place: Any) -> tuple[float, float, float]:
    try:
        order, x, y = (float(place.get(name, "0" if name == "Order" else "")) for name in ("Order", "X", "Y"))
    except ValueError:
        order = x = y = math.nan
    if not (math.isfinite(order) and is_place(x, y)):
        name = node.get("Name") or "unnamed"
        raise InputError(f"{path}: a corner of {name!r} is {dict(place.attrib)}, not a place; export it again")
    return order, x, y
