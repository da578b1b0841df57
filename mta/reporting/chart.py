"""Charts as SVG inside the page: text stays text, and colors are those of the scheme that the reader prefers.

A mark is drawn in the color of its class: `s0` to `s7` for series, `soft` for what others are held against.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import ArrayLike

from data_prep.page import Node, element
from mta.reporting.axis import Axis

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 10, 38
_LABEL = 12  # pixels above the frame, for the name of the vertical axis
_FINEST = 0.5  # pixels: points of a line that lie closer together are one
SERIES = 8


class Chart:
    """An empty frame with its axes.

    Args:
        x, y: the axes.
        said: what the chart shows, in words, for those who do not see it.
        width, height: pixels at a scale of 1.
        left: room for the names at the vertical axis, in pixels.
    """

    def __init__(self, x: Axis, y: Axis, said: str, width: int = 330, height: int = 250, left: int = _LEFT) -> None:
        self._x, self._y = x, y
        self._left, self._right = left, width - _RIGHT
        self._top, self._bottom = _TOP + (_LABEL if y.label else 0), height - _BOTTOM
        self.svg = element("svg", viewBox=f"0 0 {width} {height}", width=str(width), role="img", **{"aria-label": said})
        self._frame()

    def line(self, xs: ArrayLike, ys: ArrayLike, look: str) -> None:
        """A line through the points (n,), broken where one is not finite."""
        for part in _pieces(np.stack([np.ravel(xs), np.ravel(ys)]).astype(float)):
            places = _thinned(self._places(*part))
            self.svg.append(element("path", d="M" + "L".join(map(_pair, places)), class_=f"line {look}"))

    def band(self, xs: ArrayLike, low: ArrayLike, high: ArrayLike, look: str) -> None:
        """The area between `low` and `high` (n,)."""
        there, back = _thinned(self._places(xs, low)), _thinned(self._places(xs, high))[::-1]
        if len(there):
            outline = "M" + "L".join(map(_pair, [*there, *back])) + "Z"
            self.svg.append(element("path", d=outline, class_=f"band {look}"))

    def points(
        self, xs: ArrayLike, ys: ArrayLike, look: str, radius: float = 3, about: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """A dot at each point (n,); `about`: attributes of each, of which `title` is shown under the pointer."""
        for (x, y), more in zip(self._places(xs, ys), about or repeat({}), strict=False):
            place = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{radius:g}", "class_": f"dot {look}"}
            attributes = {name: value for name, value in more.items() if name != "title"}
            title = [element("title", more["title"])] if "title" in more else []
            self.svg.append(element("circle", *title, **(place | attributes)))

    def bars(self, lows: ArrayLike, highs: ArrayLike, ys: ArrayLike, look: str, thickness: float = 4) -> None:
        """Horizontal bars from `lows` to `highs` at the heights `ys`, all (n,)."""
        for (x, y), (end, _) in zip(self._places(lows, ys), self._places(highs, ys), strict=True):
            box = {"x": f"{x:.1f}", "y": f"{y - thickness / 2:.1f}", "width": f"{max(end - x, 0.5):.1f}"}
            self.svg.append(element("rect", **box, height=f"{thickness:g}", class_=f"bar {look}"))

    def word(self, x: float, y: float, text: str, anchor: str = "start", lift: float = 0) -> None:
        """`text` at a point, `lift` pixels above it."""
        ((left, top),) = self._places(x, y)
        place = {"x": f"{left:.1f}", "y": f"{top - lift:.1f}", "text-anchor": anchor}
        self.svg.append(element("text", text, class_="note", **place))

    def node(self, title: str = "", *below: Node) -> Node:
        """The finished figure under its title."""
        caption = [element("figcaption", title, class_="title")] if title else []
        return element("figure", *caption, self.svg, *below, class_="chart")

    def _places(self, xs: ArrayLike, ys: ArrayLike) -> np.ndarray:
        across = self._x.places(xs, self._left, self._right)
        return np.stack([across, self._y.places(ys, self._bottom, self._top)], axis=1)

    def _frame(self) -> None:
        for value, text in self._x.marks():
            x = float(self._x.places(value, self._left, self._right)[0])
            self._rule(x, x, self._top, self._bottom)
            self._label(x, self._bottom + 14, text, "middle")
        for value, text in self._y.marks():
            y = float(self._y.places(value, self._bottom, self._top)[0])
            self._rule(self._left, self._right, y, y)
            self._label(self._left - 6, y + 4, text, "end")
        self._label((self._left + self._right) / 2, self._bottom + 31, self._x.label, "middle")
        self._label(self._left - 30, self._top - 10, self._y.label, "start")

    def _rule(self, x1: float, x2: float, y1: float, y2: float) -> None:
        ends = {"x1": x1, "x2": x2, "y1": y1, "y2": y2}
        self.svg.append(element("line", class_="grid", **{name: f"{value:.1f}" for name, value in ends.items()}))

    def _label(self, x: float, y: float, text: str, anchor: str) -> None:
        if text:
            place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
            self.svg.append(element("text", text, class_="axis", **place))


def legend(names: Sequence[str], first: int = 0) -> Node:
    """What the colors of the series mean, from series `first` on."""
    keys = [
        element("li", element("span", "", class_=f"key s{(first + place) % SERIES}"), name)
        for place, name in enumerate(names)
    ]
    return element("ul", *keys, class_="legend")


def panels(*figures: Node) -> Node:
    """Figures side by side, as many as there is room for."""
    return element("div", *figures, class_="panels")


def _pair(place: np.ndarray) -> str:
    return f"{place[0]:.1f} {place[1]:.1f}"


def _pieces(points: np.ndarray) -> list[np.ndarray]:
    """The runs of finite points (2, k) of `points` (2, n)."""
    known = np.isfinite(points).all(axis=0)
    cuts = np.flatnonzero(np.diff(known)) + 1
    return [part for part in np.split(points, cuts, axis=1) if part.size and np.isfinite(part).all()]


def _thinned(places: np.ndarray) -> np.ndarray:
    """`places` (n, 2) without those that lie on the one before, at the finest that is drawn."""
    if not len(places):
        return places
    cells = np.round(places / _FINEST)
    moved = np.r_[True, (np.diff(cells, axis=0) != 0).any(axis=1)]
    moved[-1] = True
    return places[moved]
