"""Drawn rings as sound polygons on their slide."""

from pathlib import Path
from typing import Any, Protocol

from data_prep.annotations.annotation import Ring, Shape
from data_prep.errors import InputError

# Of a polygon of this slide at least so much of the area lies on it.
_ON_SLIDE = 0.5


class Extent(Protocol):
    """What is known of a slide: its `name`, and the `size` (width, height) of its level 0 in pixels."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of level 0, pixels."""


def as_polygon(shape: Shape) -> tuple[Any, str]:
    """`shape` as a valid shapely geometry of area, None where it has none, and what was done about it ("": nothing).

    Where an outline crosses itself, all that it runs around is inside, as for a brush.
    """
    import shapely

    rings = [ring for ring in shape.rings if len(set(ring)) >= 3]
    if not shape.rings or len(set(shape.rings[0])) < 3:
        return None, f"left aside: polygon {shape.name} has {_corners(shape.rings)}"
    polygon = shapely.Polygon(rings[0], rings[1:])
    if polygon.is_valid:
        return polygon, ""
    reason = shapely.is_valid_reason(polygon).partition("[")[0].lower()
    # One ring at a time: together, a hole outside of its outline would become tumor.
    outline, *holes = (_areas(shapely.make_valid(shapely.Polygon(ring), method="structure")) for ring in rings)
    polygon = _areas(shapely.difference(outline, shapely.union_all(holes)))
    if polygon.is_empty:
        return None, f"left aside: polygon {shape.name} has no area"
    return polygon, f"repaired: polygon {shape.name} ({reason})"


def _corners(rings: tuple[Ring, ...]) -> str:
    count = len(set(rings[0])) if rings else 0
    return f"{count} corner{'' if count == 1 else 's'}"


def _areas(geometry: Any) -> Any:
    """The polygons of `geometry`, without its lines and points."""
    import shapely

    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.area(parts) > 0])


def within(path: Path, polygon: Any, name: str, slide: Extent, notes: list[str]) -> Any:
    """`polygon` as far as it lies on `slide`; being elsewhere is an `InputError`.

    Cutting off more than a pixel is added to `notes`.
    """
    import shapely

    box = shapely.box(0, 0, *slide.size)
    if shapely.covers(box, polygon):
        return polygon
    cut = _areas(shapely.intersection(polygon, box))
    if cut.area < _ON_SLIDE * polygon.area:
        x, y = (round(value) for value in polygon.bounds[:2])
        size = "{} x {}".format(*slide.size)
        raise InputError(f"{path}: polygon {name} at x {x}, y {y} is not on {slide.name} ({size}): of another slide?")
    if not shapely.covers(shapely.box(-1, -1, slide.size[0] + 1, slide.size[1] + 1), polygon):
        notes.append(f"cut off: polygon {name} beyond the edge of the slide")
    return cut
