"""Whether probabilities mean what they say, and what happens at a threshold."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from data_prep.page import Node, element, section, table
from mta.evaluation import reliability
from mta.evaluation.style import words
from mta.reporting.axis import unit_axis
from mta.reporting.chart import SERIES, Chart, legend, panels
from mta.reporting.evidence import Evidence
from mta.reporting.measures import spoken

_READ = (
    "On the diagonal a probability of 0.8 is right in 80 % of cases. A dot is a bin of equally many patches. The "
    "temperature is fitted on validation; above 1 the model is too sure. It changes no rank and no AUC."
)
_POINTS = (
    "A patch is called tumor above the threshold (of the logit), which is the one that 95 % of the normal validation "
    "patches stay below. On other centres the specificity differs: that is what is shown."
)


def certainty(runs: Sequence[Evidence]) -> list[Node]:
    """The sections on calibration and on operating points."""
    heads = ["run", "test", "ECE", "ECE, equal counts", "Brier", "temperature", "ECE with it"]
    lines = [[run.name, words(role), *_calibrated(run, role)] for run in runs for role in run.tests]
    calibration = section(
        "Calibration",
        legend([run.name for run in runs]),
        panels(*(_reliability(runs, role) for role in runs[0].tests)),
        element("p", _READ, class_="soft"),
        table("Calibration; a dash: no temperature fits, or folds are pooled", heads, lines, texts=2),
    )
    members = [one for run in runs for one in run.members]
    lines = [[run.name, words(role), *_operated(run, role)] for run in members for role in run.tests]
    heads = ["run", "test", "threshold", "sensitivity", "specificity", "accuracy at 0.5"]
    operating = section("Operating points", table("At the threshold of validation", heads, lines, texts=2))
    operating.append(element("p", _POINTS, class_="soft"))
    return [calibration, operating]


def _reliability(runs: Sequence[Evidence], role: str) -> Node:
    errors = "; ".join(f"{run.name}: ECE {spoken(run.metrics[role]['calibration']['ece'])}" for run in runs)
    said = f"Reliability, {words(role)}. {errors}"
    chart = Chart(unit_axis("mean P(tumor) of a bin"), unit_axis("share of tumor"), said, width=340, height=300)
    chart.line([0, 1], [0, 1], "line aside soft")
    for place, run in enumerate(runs):
        part = run.part(role)
        curve = reliability(part["label"], expit(part["logit"].to_numpy(float)), bins=10, by="count")
        chart.line(curve.predicted, curve.observed, f"s{place % SERIES}")
        says = [
            {"title": f"{run.name}: said {said:.2f}, was {was:.2f}, {count} patches"}
            for said, was, count in zip(curve.predicted, curve.observed, curve.counts, strict=True)
        ]
        chart.points(curve.predicted, curve.observed, f"s{place % SERIES}", 3.5, says)
    return chart.node(words(role))


def _calibrated(run: Evidence, role: str) -> list[str]:
    values = run.metrics[role]["calibration"]
    return [spoken(values[name]) for name in ("ece", "ece_equal_count", "brier", "temperature", "ece_temperature")]


def _operated(run: Evidence, role: str) -> list[str]:
    point = run.metrics[role]["operating_point"]
    threshold = point["threshold"]
    return [
        f"{threshold:.3g}" if threshold is not None and np.isfinite(threshold) else "–",
        spoken(point["sensitivity"], point["sensitivity_interval"]),
        spoken(point["specificity"], point["specificity_interval"]),
        spoken(run.metrics[role]["tumor"]["accuracy"]),
    ]
