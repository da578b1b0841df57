"""Annotations made for a test."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SQUARE = ((10, 10), (50, 10), (50, 50), (10, 50))
HOLE = ((20, 20), (30, 20), (30, 30), (20, 30))
BOW_TIE = ((0, 0), (40, 40), (40, 0), (0, 40))


def a_slide(width: int = 100, height: int = 80, bounds: tuple[int, int] = (0, 0)) -> Any:
    """What an annotation needs to know of a slide."""
    return SimpleNamespace(path=Path("node.tif"), name="node", size=(width, height), bounds=bounds)


def polygon(ring: Any, group: str = "metastases", kind: str = "Polygon", name: str = "A") -> str:
    corners = "".join(f'<Coordinate Order="{n}" X="{x}" Y="{y}"/>' for n, (x, y) in enumerate(ring))
    attributes = f'Name="{name}" Type="{kind}" PartOfGroup="{group}"'
    return f"<Annotation {attributes}><Coordinates>{corners}</Coordinates></Annotation>"


def write_asap(path: Path, *annotations: str) -> Path:
    text = (
        f'<?xml version="1.0"?><ASAP_Annotations><Annotations>{"".join(annotations)}</Annotations></ASAP_Annotations>'
    )
    path.write_text(text, encoding="utf-8")
    return path


def feature(coordinates: Any, label: Any = "Tumor", kind: str = "Polygon", **properties: Any) -> dict[str, Any]:
    """A feature as QuPath writes it."""
    properties = {"objectType": "annotation", "classification": {"name": label, "color": [200, 0, 0]}} | properties
    return {
        "type": "Feature",
        "id": "1",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def write_geojson(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
