"""The embedding of `mta.explain umap` as charts whose points show their patch."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.page import Node, element, jpeg, said
from data_prep.store import Patches
from mta.reporting.axis import Axis
from mta.reporting.chart import SERIES, Chart, legend
from mta.reporting.pixels import thumbnails

_SIDE, _COLUMNS, _QUALITY = 48, 32, 70
_NAMED = ("class", "centre", "role")
_PLAIN = ("run", "layer", "row", "x", "y", "patient", "slide", *_NAMED)
_MOST_CHARTS = 4


def embedding(table: pd.DataFrame, source: Patches | str, name: str, most: int) -> list[Node]:
    """One chart a run and layer of `table` (as `umap.csv`), with the patches of `source` where they are known.

    At most `most` patches and four charts; `name` tells the charts of a page apart. Raises `InputError` where columns
    are missing or positions are not finite.
    """
    _require(table)
    rows = np.sort(table["row"].unique())
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    table = table[table["row"].isin(rows)]
    parts: list[Node] = []
    if isinstance(source, Patches):
        parts.append(_sheet(thumbnails(source, rows, _SIDE), f"sheet-{name}"))
    groups = list(table.groupby(["run", "layer"], sort=False))
    parts += [
        _walk(part, rows, f"{run}, layer {layer}", f"sheet-{name}") for (run, layer), part in groups[:_MOST_CHARTS]
    ]
    if len(groups) > _MOST_CHARTS:
        parts.append(element("p", f"{len(groups) - _MOST_CHARTS} more are in umap.csv.", class_="soft"))
    return parts


def _require(table: pd.DataFrame) -> None:
    if missing := [column for column in _PLAIN if column not in table]:
        raise InputError(f"no column {', '.join(missing)}")
    try:
        finite = np.isfinite(table[["x", "y", "row"]].to_numpy(float)).all()
    except ValueError as error:
        raise InputError(f"no numbers: {error}") from error
    if not len(table) or not finite:
        raise InputError("no points, or points that are nowhere")


def _sheet(tiles: np.ndarray, name: str) -> Node:
    """All thumbnails as one hidden picture; the script shows a part of it."""
    lines = -(-len(tiles) // _COLUMNS)
    full = np.full((lines * _COLUMNS, *tiles.shape[1:]), 255, np.uint8)
    full[: len(tiles)] = tiles
    grid = full.reshape(lines, _COLUMNS, _SIDE, _SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(lines * _SIDE, -1, 3)
    about = {"id": name, "hidden": "hidden", "data-columns": str(_COLUMNS)}
    return element("img", src=jpeg(grid, _QUALITY), alt="Thumbnails of the patches", **about)


def _walk(part: pd.DataFrame, rows: np.ndarray, title: str, sheet: str) -> Node:
    """A chart with its points, the choice of what colors them, and room for the patch."""
    part = part.sort_values(["x", "y"], kind="stable")
    x, y = (Axis(float(part[axis].min()) - 0.1, float(part[axis].max()) + 0.1, bare=True) for axis in ("x", "y"))
    told = f"UMAP of {len(part)} patches, {title}. Arrow keys go from patch to patch."
    chart = Chart(x, y, told, 560, 440, left=12)
    chart.svg.attrib |= {"tabindex": "0", "role": "group"}
    colorings = {name: _coloring(part[name]) for name in (*_NAMED, *_concepts(part))}
    chart.points(part["x"], part["y"], "", 3.2, _about(part, rows, [looks for looks, _ in colorings.values()]))
    keys = [key for _, key in colorings.values()]
    for key in keys[1:]:
        key.set("hidden", "hidden")
    choice = element("label", "Color by ", element("select", *(element("option", name) for name in colorings)))
    room = element("div", element("div", "", class_="shown"), element("output", "Point at a patch."))
    return element("div", chart.node(title, choice, *keys), room, class_="walk", **{"data-sheet": sheet})


def _about(part: pd.DataFrame, rows: np.ndarray, looks: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """The attributes of each point: its colors, its place among the thumbnails, and what is said of it."""
    told = [name for name in part if name not in ("run", "layer", "x", "y")]
    tiles = np.searchsorted(rows, part["row"].to_numpy())
    return [
        {
            "class_": f"dot faint {colors[0]}",
            "data-looks": " ".join(colors),
            "data-tile": str(tile),
            "data-say": "\n".join(f"{name} {said(line[name])}" for name in told if said(line[name]) not in ("", "–")),
        }
        for colors, tile, line in zip(zip(*looks, strict=True), tiles, part.to_dict("records"), strict=True)
    ]


def _concepts(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table if name not in _PLAIN]


def _coloring(values: pd.Series) -> tuple[list[str], Node]:
    """The look of each point (n,) and what it means: names by series, numbers by eighths of the points."""
    if values.name in _NAMED:
        names = sorted(set(values))
        return [f"s{names.index(value) % SERIES}" for value in values], legend([name or "unknown" for name in names])
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
    known = np.isfinite(numbers)
    if not known.any():
        return ["soft"] * len(numbers), legend([])
    edges = np.quantile(numbers[known], np.arange(1, SERIES) / SERIES)
    looks = [
        f"q{place}" if there else "soft" for place, there in zip(np.searchsorted(edges, numbers), known, strict=True)
    ]
    ends = [f"{numbers[known].min():.4g}", *[""] * (SERIES - 2), f"{numbers[known].max():.4g}"]
    keys = [element("li", element("span", "", class_=f"key q{place}"), end) for place, end in enumerate(ends)]
    return looks, element("ul", *keys, class_="legend")
