"""The figure of a diagnosis: what is left of the centre, and how the adversary was trained."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mta.evaluation.style import COLORS, GRAY, INK, dress, new_figure, save


def diagnose_figure(found: dict[str, Any], path: str | Path) -> None:
    """Write what is in `found` (as `diagnose.json`) to `path` (PNG)."""
    layers = list(dict.fromkeys(one["layer"] for one in found["domain"]))
    last = [one for one in found["a_distance"] if one["layer"] == layers[-1]]
    figure = new_figure(11.0, 3.4 + max(3.2, 0.9 + 0.24 * len(last)))
    ((probes, distances), (training, pulls)) = figure.subplots(2, 2)
    _draw_probes(dress(probes, "centre of held-out patients, by fresh probes"), found, layers)
    _draw_distances(dress(distances, f"proxy A-distance at {layers[-1]}"), last)
    _draw_training(dress(training, "the adversary in training"), found["history"])
    _draw_pulls(dress(pulls, f"pull of each task at {found['gradients']['layer']}"), found["gradients"]["tasks"])
    save(figure, path)


def _draw_probes(axes: Axes, found: dict[str, Any], layers: list[str]) -> None:
    for number, kind in enumerate(("logistic", "network")):
        mine = [one for one in found["domain"] if one["probe"] == kind]
        place = np.array([layers.index(one["layer"]) for one in mine]) + (number - 0.5) * 0.2
        values = np.array([one["balanced_accuracy"] for one in mine], float)
        ends = np.array([one["balanced_accuracy_interval"] for one in mine], float)
        shuffled = np.array([one["balanced_accuracy_shuffled"] for one in mine], float)
        axes.bar(place, np.ptp(shuffled, axis=1), 0.16, shuffled[:, 0], color=GRAY, alpha=0.3, linewidth=0)
        reach = np.maximum(np.nan_to_num(np.abs(ends.T - values)), 0)
        axes.errorbar(place, values, reach, fmt="o", color=COLORS[number], markersize=4, label=f"{kind} probe")
    if found["head"]:
        rate = found["head"]["balanced_accuracy"]
        axes.plot(len(layers) - 1, rate, "D", color=COLORS[3], markersize=5, label="the model's own head")
    axes.axhline(found["domain"][0]["chance"], color=GRAY, linestyle="--", linewidth=1, label="chance")
    axes.axhline(found["domain"][0]["by_class"], color=GRAY, linestyle=":", linewidth=1, label="by class alone")
    axes.set_xticks(range(len(layers)), layers, fontsize=8, parse_math=False)
    axes.set(xlim=(-0.5, len(layers) - 0.5), ylim=(0, 1.03))
    axes.set_ylabel("balanced accuracy", fontsize=8)
    axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1, 1))


def _draw_distances(axes: Axes, pairs: list[dict[str, Any]]) -> None:
    names = [f"{one['a']} | {one['b']}" for one in pairs]
    for place, one in enumerate(pairs):
        if one["distance"] is None:
            axes.annotate("too few patients", (0, place), fontsize=7, color=GRAY, va="center")
            continue
        low, high = (np.nan if end is None else end for end in one["interval"])
        axes.plot([low, high], [place, place], color=COLORS[0], linewidth=1.4, alpha=0.5)
        axes.plot(one["distance"], place, "o", color=COLORS[0], markersize=4)
    axes.axvline(0, color=GRAY, linestyle="--", linewidth=1)
    axes.axvline(2, color=GRAY, linestyle=":", linewidth=1)
    axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    axes.set(xlim=(-1.1, 2.1), ylim=(len(names) - 0.4, -0.6))
    axes.set_xlabel("0: not told apart, 2: always", fontsize=8)


def _draw_training(axes: Axes, history: dict[str, Any]) -> None:
    epochs = history["epoch"]
    axes.plot(epochs, history["strength"], color=INK, linewidth=1.6, label="reversal strength")
    if "pull" in history:
        axes.plot(epochs, history["pull"], color=COLORS[1], linewidth=1.6, label="strength x exp(-log-variance)")
    if "val_domain_accuracy" in history:
        axes.plot(
            epochs, history["val_domain_accuracy"], color=COLORS[3], linewidth=1, label="domain accuracy, validation"
        )
    for number, (task, values) in enumerate(history["log_variance"].items()):
        color = COLORS[(number + 4) % len(COLORS)]
        axes.plot(epochs, values, "--", color=color, linewidth=1, label=f"log-variance, {task}")
    axes.axvline(history["model_epoch"], color=GRAY, linewidth=0.9, linestyle=":")
    axes.annotate(
        "this model ", (history["model_epoch"], 0.02), xycoords=axes.get_xaxis_transform(), fontsize=7, ha="right"
    )
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", fontsize=8)
    axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1, 1))


def _draw_pulls(axes: Axes, tasks: dict[str, dict[str, Any] | None]) -> None:
    shown = {name: values for name, values in tasks.items() if values}
    for place, values in enumerate(shown.values()):
        axes.barh(place, values["pull"], height=0.6, color=COLORS[place % len(COLORS)], alpha=0.85)
        if values["cosine_to_tumor"] is not None and place:
            words = f" cosine to tumor {values['cosine_to_tumor']:+.2f}"
            axes.annotate(words, (values["pull"], place), fontsize=7.5, va="center", color=INK)
    axes.set_yticks(range(len(shown)), list(shown), fontsize=8, parse_math=False)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0, 1.7 * max((values["pull"] for values in shown.values()), default=1) or 1)
    axes.set_xlabel("|weight| x mean length of the gradient of a row", fontsize=8)
