"""The files of an embedding: table, figure, and a page that shows the patch under the pointer."""

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from data_prep.claims import claimed
from data_prep.files import replacing, write_text
from mta.evaluation.style import COLORS, GRAY, dress, new_figure, save
from mta.explain.opening import Subject
from mta.explain.thumbnails import COLUMNS, sheet

NAMED = ("class", "centre", "role")
ABOUT = ("row", "patient", "slide", "centre", "role", "class")
_FIXED = ("run", "layer", "x", "y", *ABOUT)
_GRID = 10_000  # of the points of all runs: enough for one run alone to fill a panel
_MOST_PANELS = 6


def write_umap(folder: Path, table: pd.DataFrame, subjects: Sequence[Subject], rows: np.ndarray, model: str) -> None:
    """Write `umap.csv`, `umap.png` and `umap.html` to `folder`, from `table` (as `mta.explain.umap.umap` makes it)."""
    trained = [name for subject in subjects for name in subject.trained.config.concepts]
    with claimed(folder):
        with replacing(folder / "umap.csv") as temporary:
            table.to_csv(temporary, index=False)
        umap_figure(table, folder / "umap.png", trained)
        data = subjects[0].data
        pictures = "" if data.embedded else sheet(data.patches, rows)
        units = data.concepts.attrs.get("units", {})
        write_text(folder / "umap.html", umap_page(table, pictures, units, model))


def concepts_of(table: pd.DataFrame) -> list[str]:
    """The concepts of `umap.csv`."""
    return [name for name in table if name not in _FIXED]


def umap_figure(table: pd.DataFrame, path: str | Path, first: Sequence[str] = ()) -> None:
    """Write one panel a run, layer and coloring to `path` (PNG): class and centre where known, at most six concepts.

    `first`: concepts to be among these, such as those that a run was trained on.
    """
    known = concepts_of(table)
    chosen = sorted(known, key=lambda name: (name not in first, known.index(name)))[:_MOST_PANELS]
    layers, runs = (list(dict.fromkeys(table[name])) for name in ("layer", "run"))
    named = [name for name in ("class", "centre") if (table[name] != "").any()]
    lines = [(layer, coloring) for layer in layers for coloring in (*named, *chosen)]
    figure = new_figure(3.6 * len(runs) + 1.2, 3.1 * len(lines))
    panels = figure.subplots(len(lines), len(runs), squeeze=False)
    for line, (layer, coloring) in zip(panels, lines, strict=True):
        for axes, run in zip(line, runs, strict=True):
            part = table[(table["layer"] == layer) & (table["run"] == run)]
            _draw(dress(axes, f"{run}, {layer}: {coloring}"), part, coloring, known)
    save(figure, path)


def _draw(axes: Axes, part: pd.DataFrame, coloring: str, concepts: Sequence[str]) -> None:
    axes.set(xticks=[], yticks=[])
    look: dict[str, Any] = {"s": 7, "linewidths": 0, "alpha": 0.75}
    if coloring in concepts:
        values = part[coloring].to_numpy(float)
        known = np.isfinite(values)
        axes.scatter(part["x"][~known], part["y"][~known], color=GRAY, **look)
        if known.any():
            limits = dict(zip(("vmin", "vmax"), np.quantile(values[known], [0.02, 0.98]), strict=True))
            dots = axes.scatter(part["x"][known], part["y"][known], c=values[known], cmap="viridis", **look, **limits)
            axes.figure.colorbar(dots, ax=axes, fraction=0.045).ax.tick_params(labelsize=7)
        return
    names = sorted(set(part[coloring]) - {""})
    colors = {"": GRAY, **{name: COLORS[number % len(COLORS)] for number, name in enumerate(names)}}
    shuffled = part.sample(frac=1, random_state=0)  # or the last centre would cover the others
    axes.scatter(shuffled["x"], shuffled["y"], color=shuffled[coloring].map(colors), **look)
    for name in colors if "" in set(part[coloring]) else names:
        axes.scatter([], [], color=colors[name], label=name or "unknown", **look)
    axes.legend(frameon=False, fontsize=7, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))


def umap_page(table: pd.DataFrame, pictures: str, units: dict[str, str], model: str) -> str:
    """The page as text: self-contained, without any name of a file outside it.

    Args:
        table: as `umap.csv`.
        pictures: thumbnails of the patches (`mta.explain.thumbnails.sheet`), or "".
        units: of the concepts.
        model: "best" or "last", for the line at the top.
    """
    web = files("mta.explain") / "web"
    page, style, script = ((web / f"umap.{ending}").read_text("utf-8") for ending in ("html", "css", "js"))
    allowed = f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    # No text of the data can end the element that it stands in.
    data = json.dumps(_page_data(table, pictures, units, model), allow_nan=False).replace("<", "\\u003c")
    for name, text in {"POLICY": policy, "STYLE": style, "SCRIPT": script, "DATA": data}.items():
        page = page.replace(f"@@{name}@@", text)
    return page


def _page_data(table: pd.DataFrame, pictures: str, units: dict[str, str], model: str) -> dict[str, Any]:
    layers, runs = (list(dict.fromkeys(table[name])) for name in ("layer", "run"))
    one = table[(table["layer"] == layers[0]) & (table["run"] == runs[0])]
    shown = {name: unit for name, unit in units.items() if unit != "1"}  # of what has no unit
    fits = f"{len(layers)} fits, one a layer" if len(layers) > 1 else "one fit"
    return {
        "about": f"{len(one)} test patches, {', '.join(runs)} ({model} epoch), UMAP, {fits} for all runs.",
        "runs": runs,
        "layers": [{"name": layer, "points": _placed(table[table["layer"] == layer], runs)} for layer in layers],
        "patches": {name: one[name].tolist() for name in ABOUT},
        "colorings": list(NAMED),
        "concepts": {name: {"unit": shown.get(name, ""), "values": _numbers(one[name])} for name in concepts_of(table)},
        "grid": _GRID,
        "sheet": pictures,
        "columns": COLUMNS,
    }


def _placed(table: pd.DataFrame, runs: Sequence[str]) -> list[list[list[int]]]:
    """The points of each run on a grid that holds all of them, the vertical axis downwards."""
    xy = table[["x", "y"]].to_numpy()
    low, reach = xy.min(axis=0), max(float(np.ptp(xy, axis=0).max()), 1e-9)
    grid = np.round((xy - low) / reach * _GRID).astype(int)
    grid[:, 1] = grid[:, 1].max() - grid[:, 1]
    return [grid[(table["run"] == run).to_numpy()].tolist() for run in runs]


def _numbers(values: pd.Series) -> list[float | None]:
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.to_numpy(float)]
