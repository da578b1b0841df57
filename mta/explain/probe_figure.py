"""The figure of probes: a line of panels a target, the layers from left to right, the runs side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mta.evaluation.style import COLORS, GRAY, dress, new_figure, save, words

# What is drawn of a target: of concepts R2, of tumor AUC, of centres the balanced accuracy.
_MEASURES = {"tumor": ("auc", "AUC"), "centre": ("balanced_accuracy", "balanced accuracy")}
_CONCEPT = ("r2", "R2")
_USE = ("relevance", "logits a deviation")
_WORST = -0.5  # on a centre with another scale R2 can be at -10: it must not flatten the rest


def probe_figure(table: pd.DataFrame, path: str | Path) -> None:
    """Write what is in `table` (as `probe.csv`) to `path` (PNG): decodability a role, then use by the tumor logit.

    Bars are 95 % intervals over patients; the gray band is where 95 % of the values of shuffled targets lie.
    """
    drawn = table[table["measure"].isin(["r2", "auc", "balanced_accuracy", "relevance"])]
    targets = list(dict.fromkeys(drawn["target"]))
    roles = [role for role in ("internal_test", "external_test") if (drawn["role"] == role).any()]
    figure = new_figure(4.0 * (len(roles) + 1), 0.6 + 2.1 * len(targets))
    panels = figure.subplots(len(targets), len(roles) + 1, squeeze=False)
    for line, target in zip(panels, targets, strict=True):
        measure, label = _MEASURES.get(target, _CONCEPT)
        for axes, role in zip(line, roles, strict=False):
            part = _part(drawn, target, role, measure)
            _draw(dress(axes, f"{target}: {label}, {words(role)}"), part, drawn)
            if part.empty:  # centres that training does not know
                axes.set_axis_off()
            elif measure == "r2":
                axes.set_ylim(max(axes.get_ylim()[0], _WORST), 1.02)
        use = _part(drawn, target, roles[0], _USE[0])
        if use.empty:
            line[-1].set_axis_off()
        else:
            _draw(dress(line[-1], f"{target}: relevance, {words(roles[0])}"), use, drawn)
            line[-1].set_ylabel(_USE[1], fontsize=8)
    _explain(figure, panels[0][0], drawn)
    save(figure, path)


def _part(table: pd.DataFrame, target: str, role: str, measure: str) -> pd.DataFrame:
    return table[(table["target"] == target) & (table["role"] == role) & (table["measure"] == measure)]


def _draw(axes: Axes, part: pd.DataFrame, everything: pd.DataFrame) -> None:
    layers, runs = (list(dict.fromkeys(everything[name])) for name in ("layer", "run"))
    width = 0.5 / max(1, len(runs))
    for number, run in enumerate(runs):
        mine = part[part["run"] == run].set_index("layer").reindex(layers)
        place = np.arange(len(layers)) + (number - (len(runs) - 1) / 2) * width
        axes.bar(
            place, mine["null_high"] - mine["null_low"], width, mine["null_low"], color=GRAY, alpha=0.3, linewidth=0
        )
        # Matplotlib warns of error bars that are not numbers, and points without one are still to be seen.
        reach = np.nan_to_num([mine["value"] - mine["low"], mine["high"] - mine["value"]])
        axes.errorbar(
            place, mine["value"], np.maximum(reach, 0), fmt="o-", color=_color(number), markersize=3.5, linewidth=1
        )
    axes.set_xticks(range(len(layers)), layers, rotation=30, ha="right", fontsize=7, parse_math=False)
    axes.set_xlim(-0.6, len(layers) - 0.4)


def _explain(figure: Figure, axes: Axes, table: pd.DataFrame) -> None:
    runs = list(dict.fromkeys(table["run"]))
    handles: list[Any] = [
        axes.plot([], [], "o-", color=_color(number), markersize=3.5)[0] for number in range(len(runs))
    ]
    handles.append(axes.bar([0], [0], color=GRAY, alpha=0.3))
    names = [*runs, "95 % of shuffled"]
    figure.legend(handles, names, loc="outside upper left", ncols=len(names), frameon=False, fontsize=9)


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]
