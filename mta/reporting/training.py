"""How the runs were trained: the curves of `history.csv`, all runs in each panel."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data_prep.page import Node, element, section
from mta.reporting.axis import spanning
from mta.reporting.chart import SERIES, Chart, legend, panels
from mta.reporting.evidence import Evidence

_WORST_R2 = -1.0  # early epochs can be at -100: they must not flatten the rest
_TITLES = {
    "val_auc": ("tumor AUC, validation", ""),
    "val_domain_accuracy": ("domain accuracy, validation (dashed: chance)", "domain_chance"),
    "strength": ("reversal strength", ""),
    "loss": ("total loss (dashed: validation)", "val_loss"),
}
_PREFIXES = {
    "loss_": ("loss: {} (dashed: validation)", "val_loss_{}"),
    "val_r2_": ("R2 of {}, validation", ""),
    "log_var_": ("log-variance: {}", ""),
}


def training(runs: Sequence[Evidence]) -> Node:
    """The section."""
    figures = [
        _panel(runs, column, aside, title) for column, (title, aside) in _wanted([run.history for run in runs]).items()
    ]
    phases = [_phases(run) for run in runs]
    ends = element("ul", *(element("li", text) for text in phases))
    if not figures:
        return section("Training", element("p", "history.csv holds no curve.", class_="soft"), ends)
    return section("Training", ends, legend([run.name for run in runs]), panels(*figures))


def _wanted(histories: Sequence[pd.DataFrame]) -> dict[str, tuple[str, str]]:
    """Column -> (title, the column that it is held against), in reading order; those with a number."""
    columns = list(dict.fromkeys(name for history in histories for name in history))
    wanted = dict(_TITLES)
    for prefix, (title, aside) in _PREFIXES.items():
        tasks = [name.removeprefix(prefix) for name in columns if name.startswith(prefix)]
        wanted |= {f"{prefix}{task}": (title.format(task), aside.format(task)) for task in tasks}
    return {name: told for name, told in wanted.items() if any(_has(history, name) for history in histories)}


def _has(history: pd.DataFrame, name: str) -> bool:
    return name in history and bool(np.isfinite(_numbers(history, name)).any())


def _numbers(history: pd.DataFrame, name: str) -> np.ndarray:
    return np.asarray(pd.to_numeric(history[name], errors="coerce"), float)


def _panel(runs: Sequence[Evidence], column: str, aside: str, title: str) -> Node:
    floor = _WORST_R2 if column.startswith("val_r2_") else None
    drawn = [(run.history, name) for run in runs for name in (column, aside) if name and _has(run.history, name)]
    epochs = spanning(np.concatenate([_numbers(history, "epoch") for history, _ in drawn]), "epoch", whole=True)
    values = spanning(np.concatenate([_numbers(history, name) for history, name in drawn]), floor=floor)
    chart = Chart(epochs, values, f"{title}. {_spoken(runs, column)}", height=220)
    for place, run in enumerate(runs):
        for name, look in ((column, "line"), (aside, "aside")):
            if name and _has(run.history, name):
                chart.line(_numbers(run.history, "epoch"), _numbers(run.history, name), f"{look} s{place % SERIES}")
    return chart.node(title)


def _spoken(runs: Sequence[Evidence], column: str) -> str:
    """First and last value of each run."""
    told = []
    for run in [run for run in runs if _has(run.history, column)]:
        values = _numbers(run.history, column)
        known = values[np.isfinite(values)]
        told.append(f"{run.name}: {known[0]:.3g} at first, {known[-1]:.3g} at last")
    return "; ".join(told)


def _phases(run: Evidence) -> str:
    history, config = run.history, run.config
    lengths = history["phase"].value_counts(sort=False) if "phase" in history else pd.Series(dtype=int)
    phases = ", ".join(f"phase {phase} of {count} epochs" for phase, count in lengths.items())
    seconds = f", {history['seconds'].sum() / 60:.0f} minutes" if "seconds" in history else ""
    chosen = f"monitored: {config.monitor} loss on validation"
    step = f"{config.optimizer} at {config.learning_rate:g}, batches of {config.batch_size}"
    return f"{run.name}: {phases or f'{len(history)} epochs'}{seconds}; {step}; {chosen}."
