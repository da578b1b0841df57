"""ROC curves of one run, and the AUCs of several runs side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from data_prep.errors import InputError
from data_prep.splits import ROLES, patient_keys
from mta.evaluation.bootstrap import clustered_bootstrap
from mta.evaluation.scores import auc, roc_curve
from mta.evaluation.style import COLORS, GRAY, INK, ROLE_COLORS, dress, new_figure, save, words
from mta.evaluation.table import clean


def roc_figure(predictions: pd.DataFrame, path: str | Path, metrics: Mapping[str, Any] | None = None) -> None:
    """Write the tumor ROC curve of each role in `predictions` to `path` (PNG).

    The legend gives the AUC with its 95 % patient-clustered interval, or says that there is one class only. They are
    those in `metrics`, what `summarize` made of the same table, where it is given; else they are computed here.
    Raises `InputError` when no row has a role.
    """
    parts = _by_role(predictions)
    figure = new_figure(5.2, 5.2)
    axes = dress(figure.add_subplot(), "Tumor against normal patches")
    axes.plot([0, 1], [0, 1], color=GRAY, linewidth=0.8, linestyle=(0, (2, 3)))
    for role, part in parts.items():
        measured = _as_summarized(metrics[role]["tumor"]) if metrics else _auc_interval(part)
        curve = roc_curve(part["label"], part["logit"])
        axes.plot(*curve, color=ROLE_COLORS[role], label=_legend(role, *measured))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("false positive rate (1 - specificity)", fontsize=9)
    axes.set_ylabel("true positive rate (sensitivity)", fontsize=9)
    axes.legend(
        loc="lower right", frameon=False, fontsize=7.5, title="AUC [95 % interval over patients]", title_fontsize=7.5
    )
    save(figure, path)


def comparison_figure(runs: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """Write the AUC and 95 % patient-clustered interval of each run, one panel a role, to `path` (PNG).

    `runs` maps the name of a run to its predictions table. A run without a role, or with one class in it, has no
    mark there. Raises `InputError` when there is no run or no row with a role.
    """
    parts = {name: _by_role(predictions) for name, predictions in runs.items()}
    roles = [role for role in ROLES if any(role in by_role for by_role in parts.values())]
    if not roles:
        raise InputError("there is no run to compare: give at least one predictions table")
    figure = new_figure(1.2 + 2.6 * len(roles), 1.1 + 0.42 * len(parts))
    panels = figure.subplots(1, len(roles), sharex=True, sharey=True, squeeze=False)[0]
    for axes, role in zip(panels, roles, strict=True):
        _compare(dress(axes, words(role)), [by_role.get(role) for by_role in parts.values()])
    panels[0].set_yticks(range(len(parts)), list(parts), fontsize=9)
    panels[0].set_ylim(len(parts) - 0.5, -0.5)
    figure.supxlabel("tumor AUC with 95 % interval over patients", fontsize=9)
    save(figure, path)


def _by_role(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    table = clean(predictions)
    parts = {role: table[table["role"] == role] for role in ROLES}
    if all(part.empty for part in parts.values()):
        raise InputError(f"no prediction has a role; one of {', '.join(ROLES)} is needed to draw it")
    return {role: part for role, part in parts.items() if len(part)}


def _auc_interval(part: pd.DataFrame) -> tuple[float, float, float]:
    labels, logits = part["label"], part["logit"]
    return auc(labels, logits), *clustered_bootstrap(labels, logits, patient_keys(part))


def _as_summarized(tumor: Mapping[str, Any]) -> np.ndarray:
    return np.array([tumor["auc"], *tumor["auc_interval"]], dtype=float)  # None, for JSON, is NaN again


def _legend(role: str, area: float, low: float, high: float) -> str:
    if np.isnan(area):
        return f"{words(role)}: one class only"
    interval = "" if np.isnan(low) else f" [{low:.3f}, {high:.3f}]"
    return f"{words(role)}: {area:.3f}{interval}"


def _compare(axes: Axes, parts: list[pd.DataFrame | None]) -> None:
    """A dot, its interval and the number for each run, from the top."""
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    for place, part in enumerate(parts):
        area, low, high = (float("nan"),) * 3 if part is None else _auc_interval(part)
        color = COLORS[place % len(COLORS)]
        axes.plot([low, high], [place, place], color=color, linewidth=2, alpha=0.45, solid_capstyle="round")
        axes.plot(area, place, "o", color=color, markersize=6)
        if not np.isnan(area):
            axes.annotate(
                f"{area:.3f}", (area, place), (0, 6), textcoords="offset points", ha="center", fontsize=8, color=INK
            )
