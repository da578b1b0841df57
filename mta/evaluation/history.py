"""How a training run went: one small panel for each thing that `history.csv` follows."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from data_prep.errors import InputError
from mta.evaluation.style import COLORS, GRAY, dress, new_figure, save

R2 = "val_r2_"
PENALTY, CHANCE = "of it L2 penalty", "chance"
ASIDE = (PENALTY, CHANCE)  # dashed gray: not what is trained, but what to hold it against
_COLUMNS = 3
_MARKED_EPOCHS = 40
_WORST_R2 = -1.0  # early epochs can be at -100: they must not flatten the rest
Lines = dict[str, str]  # label -> column


def history_figure(history: pd.DataFrame, path: str | Path) -> None:
    """Write the curves of `history` (one row an epoch, columns as in `history.csv`) to `path` (PNG).

    Losses by task, log-variances, validation AUC, domain accuracy beside chance and concept R2, where they are
    there; a dotted line marks where a phase begins. Columns may be absent. Raises `InputError` without an epoch.
    """
    if history.empty or "epoch" not in history:
        raise InputError("the history holds no finished epoch yet: there is nothing to draw")
    panels = [(title, lines) for title, lines in _panels(history) if lines.keys() - set(ASIDE)]
    if not panels:
        raise InputError("the history holds no curve to draw: none of its columns is known")
    rows = -(-len(panels) // _COLUMNS)
    figure = new_figure(3.3 * min(_COLUMNS, len(panels)), 2.4 * rows)
    for place, (title, lines) in enumerate(panels):
        _draw(figure.add_subplot(rows, min(_COLUMNS, len(panels)), place + 1), history, title, lines)
    figure.supxlabel("epoch", fontsize=9)
    save(figure, path)


def _panels(history: pd.DataFrame) -> list[tuple[str, Lines]]:
    """Title and lines of each panel, in reading order; lines without a number are left out."""
    losses = [
        (f"loss: {task}", {"training": f"loss_{task}", "validation": f"val_loss_{task}"}) for task in tasks(history)
    ]
    panels = [
        ("tumor AUC", {"validation": "val_auc"}),
        ("domain accuracy", {"validation": "val_domain_accuracy", CHANCE: "domain_chance"}),
        ("concept R2, validation", by_prefix(history, R2)),
        ("total loss", {"training": "loss", "validation": "val_loss", PENALTY: "penalty"}),
        *losses,
        ("log-variance", by_prefix(history, "log_var_")),
    ]
    return [(title, {label: name for label, name in lines.items() if _has(history, name)}) for title, lines in panels]


def tasks(history: pd.DataFrame) -> list[str]:
    """The tasks that have a loss in `history`, in its order."""
    return list(by_prefix(history, "loss_"))


def by_prefix(history: pd.DataFrame, prefix: str) -> Lines:
    """What follows `prefix` in the names of columns -> column."""
    return {name.removeprefix(prefix): name for name in history if name.startswith(prefix)}


def _has(history: pd.DataFrame, name: str) -> bool:
    return name in history and bool(np.isfinite(history[name].astype(float)).any())


def _draw(axes: Axes, history: pd.DataFrame, title: str, lines: Lines) -> None:
    dress(axes, title)
    colors = dict(zip(tasks(history), COLORS, strict=False))  # a task keeps its color from panel to panel
    for place, (label, name) in enumerate(lines.items()):
        aside = label in ASIDE
        color = GRAY if aside else colors.get(label, COLORS[place % len(COLORS)])
        marker = "" if aside or len(history) > _MARKED_EPOCHS else "o"
        style = "--" if aside else "-"
        axes.plot(history["epoch"], history[name], style, color=color, marker=marker, markersize=2.5, label=label)
    if name.startswith(R2):
        axes.set_ylim(max(axes.get_ylim()[0], _WORST_R2), min(axes.get_ylim()[1], 1.02))
    axes.set_xlim(history["epoch"].min() - 0.5, history["epoch"].max() + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.legend(frameon=False, fontsize=7.5)
    _mark_phases(axes, history)


def _mark_phases(axes: Axes, history: pd.DataFrame) -> None:
    if "phase" not in history:
        return
    phase = history["phase"].to_numpy()
    for row in np.flatnonzero(phase[1:] != phase[:-1]) + 1:
        between = (history["epoch"].iloc[row - 1] + history["epoch"].iloc[row]) / 2
        axes.axvline(between, color=GRAY, linewidth=0.9, linestyle=":")
        top = (between, 1.0)
        axes.annotate(
            f" phase {phase[row]}", top, xycoords=axes.get_xaxis_transform(), fontsize=7, color=GRAY, va="bottom"
        )
