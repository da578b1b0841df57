"""GeoJSON as QuPath exports it."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from data_prep.annotations.annotation import ASIDE, Drawing, Ring, Shape, is_place, meaning
from data_prep.annotations.files import read_bytes
from data_prep.errors import InputError


def read_geojson(path: Path, offset: tuple[int, int]) -> Drawing:
    """The polygons of a GeoJSON file (a collection, a list of features or one), moved by `offset` (x, y).

    What a polygon is, its `properties.classification` says (or the `name` in it). Detections and cells, lines, points
    and classes of unknown meaning are noted. Raises `InputError` where it is not whole JSON or not GeoJSON.
    """
    drawing, ignored = Drawing(), Counter[str]()
    for feature in _features(path, _parse(path)):
        name, geometry = _class_of(feature), _dict(feature.get("geometry"))
        if reason := _unwanted(feature, geometry.get("type")):
            ignored[reason] += 1
            continue
        if meaning(name) == ASIDE:
            ignored[f"of class {name[:40] or 'None'}, whose meaning is unknown"] += 1
            drawing.unknown.add(name[:40] or "None")
        label = _text(_dict(feature.get("properties")).get("name") or name)
        for polygon in _polygons(path, geometry):
            rings = tuple(_ring(path, ring, offset) for ring in _list(path, polygon))
            drawing.shapes.append(Shape(meaning(name), label, rings))
    drawing.notes += [f"left aside: {count} {what}" for what, count in sorted(ignored.items())]
    return drawing


def _parse(path: Path) -> Any:
    try:
        return json.loads(read_bytes(path).decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not whole JSON ({error}); export or copy it again") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _features(path: Path, value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value.get("type") == "FeatureCollection":
        value = value.get("features")
    values = value if isinstance(value, list) else [value]
    for feature in values:
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise InputError(f"{path}: not GeoJSON features; export the annotations from QuPath as GeoJSON")
        yield feature


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(path: Path, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{path}: a polygon's coordinates are {str(value)[:40]!r}, not lists; export it again")
    return value


def _text(value: Any) -> str:
    """`value` as text that can be written: JSON may hold halves of characters, which UTF-8 has not."""
    return str(value).encode("utf-8", "replace").decode()


def _class_of(feature: dict[str, Any]) -> str:
    """The class as it is written, "" for none."""
    value = _dict(feature.get("properties")).get("classification")
    value = _dict(value).get("name") if isinstance(value, dict) else value
    return _text(value) if isinstance(value, str) else ""


def _unwanted(feature: dict[str, Any], kind: Any) -> str:
    """Why `feature` is no region, "" where it is one."""
    role = _dict(feature.get("properties")).get("objectType") or "annotation"
    if role != "annotation":
        return f"of object type {_text(role)[:40]}, not annotation"
    if kind not in ("Polygon", "MultiPolygon"):
        return f"of type {_text(kind)[:40]}, which has no area"
    return ""


def _polygons(path: Path, geometry: dict[str, Any]) -> list[Any]:
    coordinates = geometry.get("coordinates")
    return [coordinates] if geometry["type"] == "Polygon" else _list(path, coordinates)


def _ring(path: Path, ring: Any, offset: tuple[int, int]) -> Ring:
    return tuple(_point(path, point, offset) for point in _list(path, ring))


def _point(path: Path, point: Any, offset: tuple[int, int]) -> tuple[float, float]:
    try:
        x, y = (float(value) for value in _list(path, point)[:2])
    except (TypeError, ValueError, OverflowError):
        x = y = math.nan
    if not is_place(x, y):
        raise InputError(f"{path}: a corner is {str(point)[:60]}, not two numbers; export it again")
    return x + offset[0], y + offset[1]
