"""What the network says beside tumor: concepts against their true values, and the centre against chance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data_prep.page import Node, element, section, table
from mta.evaluation.style import words
from mta.evaluation.table import concept_names
from mta.reporting.axis import spanning
from mta.reporting.chart import SERIES, Chart, legend, panels
from mta.reporting.evidence import Evidence
from mta.reporting.measures import spoken

_MOST = 500
"""Dots of one run in one panel."""
_BLIND = (
    "Accuracy of the network's own domain head over patches of centres that it knows. Near chance (or the share of the "
    "most frequent centre) this head cannot tell the centre; whether nothing could, a fresh probe says "
    "(python -m mta.explain diagnose)."
)


def beside(runs: Sequence[Evidence]) -> list[Node]:
    """The sections on concepts and on the domain."""
    return [_concepts(runs), _domain(runs)]


def _concepts(runs: Sequence[Evidence]) -> Node:
    names = list(dict.fromkeys(name for run in runs for name in concept_names(run.predictions)))
    if not names:
        return section("Concepts", element("p", "No run was taught a concept.", class_="soft"))
    known = [run for run in runs if concept_names(run.predictions)]
    figures = [_scatter(runs, role, name) for name in names for role in runs[0].tests]
    lines = [[run.name, words(role), *cells] for run in known for role in run.tests for cells in _measured(run, role)]
    heads = ["run", "test", "concept", "R2", "mean squared error", "unit", "patches"]
    return section(
        "Concepts",
        legend([run.name for run in runs]),
        panels(*figures),
        element("p", f"At most {_MOST} patches of a run are drawn; R2 is of all. Dashed: equal.", class_="soft"),
        table("Concepts on the tests", heads, lines, texts=3),
    )


def _measured(run: Evidence, role: str) -> list[list[object]]:
    cells = []
    for name, values in run.metrics[role]["concepts"].items():
        unit = run.coding.scales[name].unit if name in run.coding.scales else ""
        cells.append(
            [name, spoken(values["r2"]), values["mse"] if values["mse"] is not None else "–", unit, values["n"]]
        )
    return cells


def _scatter(runs: Sequence[Evidence], role: str, name: str) -> Node:
    drawn = {
        place: _sample(run.part(role), name) for place, run in enumerate(runs) if name in run.metrics[role]["concepts"]
    }
    values = np.concatenate([part.to_numpy(float).ravel() for part in drawn.values()] or [np.empty(0)])
    told = ", ".join(
        f"{runs[place].name} {spoken(runs[place].metrics[role]['concepts'][name]['r2'])}" for place in drawn
    )
    axis = spanning(values)
    chart = Chart(
        spanning(values, f"{name}, true"),
        spanning(values, "predicted"),
        f"{name}, {words(role)}. R2: {told}",
        height=300,
    )
    chart.line([axis.low, axis.high], [axis.low, axis.high], "line aside soft")
    for place, part in drawn.items():
        chart.points(part["true"], part["predicted"], f"faint s{place % SERIES}", 2.2)
    return chart.node(f"{name}, {words(role)}: R2 {told}")


def _sample(part: pd.DataFrame, name: str) -> pd.DataFrame:
    pairs = pd.DataFrame({"true": part[f"{name}_true"], "predicted": part[name]})
    pairs = pairs[np.isfinite(pairs.to_numpy(float)).all(axis=1)]
    return pairs.sample(min(_MOST, len(pairs)), random_state=0).sort_index()


def _domain(runs: Sequence[Evidence]) -> Node:
    known = [one for run in runs for one in run.members if one.coding.centres]
    if not known:
        return section(
            "Domain", element("p", "No run has a domain head: none was made blind to the centre.", class_="soft")
        )
    lines = [[run.name, words(role), *_guessed(run, role)] for run in known for role in run.metrics]
    heads = ["run", "rows", "domain accuracy", "chance", "most frequent centre"]
    return section(
        "Domain",
        table("How well the centre is told", heads, lines, texts=2),
        element("p", f"{_BLIND} A dash: no patch of a centre that it knows.", class_="soft"),
    )


def _guessed(run: Evidence, role: str) -> list[str]:
    return [spoken(run.metrics[role]["domain"][name]) for name in ("accuracy", "chance", "majority")]
