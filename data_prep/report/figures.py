"""The charts of the page, as SVG in data URIs: nothing is fetched, and text in an image cannot run."""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from data_prep.report.style import CLASS_COLORS, GRAY, INK, PALE
from data_prep.report.summaries import QUANTILES

# Names come from files: no dollar sign starts mathematics, and the same data give the same bytes.
_SETTINGS: dict[Any, Any] = {"text.parse_math": False, "svg.hashsalt": "mta", "svg.fonttype": "path", "font.size": 8}
_LONGEST = 24
_MOST = 1e300
"""Larger values are in the table alone: the width of an axis would overflow."""


def svg(figure: Figure) -> str:
    """`figure` as a data URI."""
    file = io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{b64encode(file.getvalue()).decode()}"


def _new(width: float, height: float) -> Figure:
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _dress(axes: Axes, title: str) -> Axes:
    axes.set_title(title, loc="left", fontsize=9, color=INK, fontweight="bold", parse_math=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRAY)
    axes.tick_params(labelsize=8, color=GRAY, labelcolor=INK, length=0)
    axes.grid(axis="x", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def _name_places(axes: Axes, names: Sequence[str]) -> None:
    short = [name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…" for name in names]
    axes.set_yticks(range(len(short)), short, parse_math=False)
    axes.set_ylim(len(short) - 0.5, -0.5)
    axes.set_ylabel("centre", fontsize=8)


def _explain(axes: Axes, handles: Sequence[Any]) -> None:
    """What the colors mean, above the axes."""
    place: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 3}
    axes.legend(handles=handles, frameon=False, fontsize=8, handlelength=1.0, handleheight=1.0, **place)


def counts_chart(counts: pd.DataFrame) -> str:
    """Stacked bars of patches by class; `counts` has a line a centre and a column a class."""
    figure = _new(7.5, 0.9 + 0.3 * len(counts))
    axes = _dress(figure.add_subplot(), "")
    axes.set_xlabel("patches", fontsize=8)
    left = np.zeros(len(counts))
    for name in counts:
        axes.barh(range(len(counts)), counts[name], left=left, height=0.7, color=CLASS_COLORS[name], label=name)
        left += counts[name].to_numpy()
    _name_places(axes, list(counts.index))
    _explain(axes, axes.get_legend_handles_labels()[0])
    return svg(figure)


def boxes_chart(quantiles: pd.DataFrame, title: str) -> str:
    """Boxes of one concept by centre (rows) and class (color): quartiles, whiskers from 5 to 95 %.

    `quantiles`: columns `centre`, `class` and those of `QUANTILES`, as `concept_table` makes them.
    """
    centres = list(dict.fromkeys(quantiles["centre"]))
    classes = [name for name in CLASS_COLORS if (quantiles["class"] == name).any()]
    figure = _new(5.7, 0.9 + (0.14 + 0.17 * len(classes)) * len(centres))
    axes = _dress(figure.add_subplot(), "")
    axes.set_xlabel(title, fontsize=8, parse_math=False)
    width = 0.8 / len(classes)
    drawable = (quantiles[list(QUANTILES)].abs() < _MOST).all(axis=1)
    for line in quantiles[drawable].to_dict("records"):
        place = centres.index(line["centre"]) + (classes.index(line["class"]) - (len(classes) - 1) / 2) * width
        _box(axes, line, place, 0.8 * width)
    _name_places(axes, centres)
    handles = [Patch(color=CLASS_COLORS[name], alpha=0.7, label=name) for name in classes]
    _explain(axes, handles)
    return svg(figure)


def _box(axes: Axes, line: Mapping[str, float], place: float, width: float) -> None:
    low, first, middle, third, high = (line[name] for name in QUANTILES)
    color = CLASS_COLORS[str(line["class"])]
    box = {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high}
    axes.bxp(
        [box],
        positions=[place],
        widths=width,
        orientation="horizontal",
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": color, "alpha": 0.7, "linewidth": 0},
        medianprops={"color": "white", "linewidth": 1.6},
        whiskerprops={"color": color},
        capprops={"color": color},
    )


def stain_chart(centres: Sequence[str], means: Sequence[np.ndarray]) -> str:
    """Mean L, a and b of the sampled patches of each centre, a dot a patch and a bar at the centre's mean."""
    figure = _new(7.5, 0.9 + 0.34 * len(centres))
    panels = figure.subplots(1, 3, sharey=True)
    for axes, channel, title in zip(panels, range(3), ("L", "a", "b"), strict=True):
        _dress(axes, f"mean {title} of a patch")
        for place, values in enumerate(means):
            offset = np.linspace(-0.25, 0.25, len(values))
            axes.scatter(values[:, channel], place + offset, s=9, color="#7a55a8", alpha=0.5, linewidths=0)
            axes.plot([values[:, channel].mean()] * 2, [place - 0.38, place + 0.38], color=INK, linewidth=1.6)
    _name_places(panels[0], centres)
    return svg(figure)
