"""How well tumor is told from normal: ROC curves with bands, and every centre on its own."""

from collections.abc import Sequence

from data_prep.page import Node, element, section, table
from data_prep.splits import patient_keys
from mta.evaluation import centre_aucs
from mta.evaluation.bands import roc_band
from mta.evaluation.centres import Centre
from mta.evaluation.scores import roc_curve
from mta.evaluation.style import words
from mta.reporting.axis import unit_axis
from mta.reporting.chart import SERIES, Chart, legend, panels
from mta.reporting.evidence import Evidence
from mta.reporting.headline import worst_of
from mta.reporting.measures import patch_auc, spoken

_BANDS = (
    "Bands hold the central 95 % of the curves of resampled patients, point by point. The diagonal is chance. "
    "Mark: the operating point, its threshold chosen on validation."
)


def discrimination(runs: Sequence[Evidence]) -> list[Node]:
    """The sections on ROC curves and on centres."""
    curves = [_roc(runs, role) for role in runs[0].tests]
    roc = section(
        "ROC curves", legend([run.name for run in runs]), panels(*curves), element("p", _BANDS, class_="soft")
    )
    lines = [line for run in runs for role in run.tests for line in _centres(run, role)]
    heads = ["run", "test", "centre", "AUC by patch", "patients", "patches", "seen in training"]
    words_ = "The lowest of several centres is low by chance as well, which its interval does not know."
    centres = section("By centre", table("Each centre on its own; worst: lowest AUC", heads, lines, texts=3))
    centres.append(element("p", words_, class_="soft"))
    return [roc, centres]


def _roc(runs: Sequence[Evidence], role: str) -> Node:
    said = f"ROC curves, {words(role)}. " + "; ".join(f"{run.name}: AUC {patch_auc(run.part(role))}" for run in runs)
    false, true = unit_axis("false positive rate (1 - specificity)"), unit_axis("true positive rate (sensitivity)")
    chart = Chart(false, true, said, width=340, height=330)
    chart.line([0, 1], [0, 1], "line aside soft")
    for place, run in enumerate(runs):
        _curve(chart, run, role, f"s{place % SERIES}")
    return chart.node(words(role))


def _curve(chart: Chart, run: Evidence, role: str, look: str) -> None:
    part = run.part(role)
    band = roc_band(part["label"], part["logit"], patient_keys(part))
    chart.band(band.false, band.low, band.high, look)
    chart.line(*roc_curve(part["label"], part["logit"]), look)
    point = run.metrics[role]["operating_point"]
    if point["sensitivity"] is not None:
        said = f"{run.name}: sensitivity {point['sensitivity']:.3f}, specificity {point['specificity']:.3f}"
        chart.points([1 - point["specificity"]], [point["sensitivity"]], look, 5, [{"title": said}])


def _centres(run: Evidence, role: str) -> list[list[object]]:
    part, worst = run.part(role), worst_of(run, role)
    names = part["centre"].where(part["centre"] != "", "unknown")
    unseen = {centre for fold in run.members for centre in set(fold.part(role)["centre"]) - fold.trained_centres}
    found = centre_aucs(part["label"], part["logit"], patient_keys(part), names)
    lowest = worst[0].name if worst and worst[1] > 1 else None
    return [_centre(run.name, role, centre, centre.name == lowest, centre.name not in unseen) for centre in found]


def _centre(run: str, role: str, centre: Centre, lowest: bool, seen: bool) -> list[object]:
    name = f"{centre.name} (worst)" if lowest else centre.name
    counts = [centre.patients, centre.rows, "yes" if seen else "no"]
    return [run, words(role), name, spoken(centre.auc, centre.interval), *counts]
