"""The differences of a study as a forest plot."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mta.evaluation.style import COLORS, GRAY, INK, dress, new_figure, save, words
from mta.studies.pages import compared
from mta.studies.plan import StudyPlan

_OFFSET = 0.16


def forest(plan: StudyPlan, table: pd.DataFrame, roles: tuple[str, ...], path: Path) -> None:
    """Write the differences to baseline and control with their intervals, one panel a role, to `path` (PNG)."""
    lines = table[table["row"] != plan.baseline].reset_index(drop=True)
    figure = new_figure(1.8 + 3.0 * len(roles), 1.5 + 0.42 * max(1, len(lines)))
    panels = figure.subplots(1, len(roles), sharex=True, sharey=True, squeeze=False)[0]
    for axes, role in zip(panels, roles, strict=True):
        _panel(dress(axes, words(role)), plan, lines, role)
    panels[0].set_yticks(range(len(lines)), list(lines["row"]), fontsize=9)
    panels[0].set_ylim(max(len(lines), 1) - 0.5, -0.5)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    figure.supxlabel("difference of the tumor AUC, with 95 % interval", fontsize=9, color=INK)
    save(figure, path)


def _panel(axes: Axes, plan: StudyPlan, lines: pd.DataFrame, role: str) -> None:
    axes.axvline(0, color=GRAY, linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    pairs = compared(plan)
    for number, (kind, other) in enumerate(pairs):
        name = f"{kind}_{role}"
        if name not in lines:
            continue
        places = lines.index + (number - (len(pairs) - 1) / 2) * 2 * _OFFSET
        color = COLORS[number]
        axes.hlines(places, lines[f"{name}_low"], lines[f"{name}_high"], color=color, linewidth=2, alpha=0.5)
        axes.plot(lines[name], places, "o", color=color, markersize=5, label=f"minus {other}")
