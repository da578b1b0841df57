"""At a glance: what the runs are and the few numbers that matter."""

from collections.abc import Mapping, Sequence

import numpy as np

from data_prep.page import Node, element, section, table
from data_prep.splits import patient_keys
from mta.evaluation import centre_aucs, worst_centre
from mta.evaluation.centres import Centre
from mta.evaluation.style import words
from mta.reporting.axis import Axis, spanning
from mta.reporting.chart import SERIES, Chart, panels
from mta.reporting.evidence import Evidence
from mta.reporting.measures import MANY_PATIENTS, Measure, patch_auc, patient_auc, spoken

_ROW, _LONGEST = 34, 24
_INTERVALS = (
    f"Intervals are 95 % over patients: Student's t below {MANY_PATIENTS} patients, else BCa; by patient DeLong. "
    "metrics.json has percentile intervals, which are narrower when patients are few (docs/statistics.md)."
)


def headline(runs: Sequence[Evidence]) -> Node:
    """The section at the top."""
    parts = [element("p", _about(run)) for run in runs]
    if len(runs) == 1:
        parts.append(_tiles(runs[0]))
    parts.append(panels(*(_compared(runs, role) for role in runs[0].tests)))
    parts += [_numbers(runs), element("p", _INTERVALS, class_="soft")]
    return section("At a glance", *parts)


def worst_of(run: Evidence, role: str) -> tuple[Centre, int] | None:
    """The centre of `role` with the lowest AUC, and how many were measured; None where none has both classes."""
    part = run.part(role)
    centres = part["centre"].where(part["centre"] != "", "unknown")
    measured = [
        centre
        for centre in centre_aucs(part["label"], part["logit"], patient_keys(part), centres)
        if np.isfinite(centre.auc)
    ]
    return (worst_centre(measured), len(measured)) if measured else None


def _about(run: Evidence) -> str:
    config = run.config
    concepts = f"concepts {', '.join(config.concepts)}" if config.concepts else "no concepts"
    adversary = "an adversary on the centre" if config.adversary == "centre" else "no adversary"
    model = run.evaluated.get("model", "best")
    trunk = "precomputed embeddings" if run.record.get("encoder") else config.backbone
    return (
        f"{run.name}: tumor classifier for patches, preset {config.preset} (profile {config.profile}) on {trunk}, with "
        f"{concepts} and {adversary}; seed {config.seed}, {_length(run)}, measured with its {model} model."
    )


def _length(run: Evidence) -> str:
    epochs = [str(one.record.get("epochs", len(one.history))) for one in run.members]
    return f"{len(epochs)} folds, pooled, of {', '.join(epochs)} epochs" if run.folds else f"{epochs[0]} epochs"


def _tiles(run: Evidence) -> Node:
    tiles = {}
    for role in run.tests:
        tiles[f"AUC, {words(role)}"] = str(patch_auc(run.part(role)))
        if (worst := worst_of(run, role)) and worst[1] > 1:
            tiles[f"worst of {worst[1]} centres, {words(role)}"] = f"{worst[0].auc:.3f} (centre {worst[0].name})"
        tiles[f"ECE, {words(role)}"] = spoken(run.metrics[role]["calibration"]["ece"])
        for name, values in run.metrics[role]["concepts"].items():
            tiles[f"R2 {name}, {words(role)}"] = spoken(values["r2"])
        if run.metrics[role]["domain"]["accuracy"] is not None:
            tiles[f"domain accuracy (chance), {words(role)}"] = _domain(run, role)
    return element("dl", *(_tile(name, value) for name, value in tiles.items()), class_="tiles")


def _tile(name: str, value: str) -> Node:
    """A number, and smaller what is said beside it."""
    number, space, rest = value.partition(" ")
    return element("div", element("dt", name), element("dd", number + space, element("small", rest)))


def _domain(run: Evidence, role: str) -> str:
    domain = run.metrics[role]["domain"]
    return "–" if domain["accuracy"] is None else f"{spoken(domain['accuracy'])} ({spoken(domain['chance'])})"


def _compared(runs: Sequence[Evidence], role: str) -> Node:
    return forest({run.name: patch_auc(run.part(role)) for run in runs}, words(role))


def forest(measured: Mapping[str, Measure], title: str) -> Node:
    """A figure with a dot and its interval for each of the `measured` AUCs by patch, from the top."""
    ends = [end for measure in measured.values() for end in (*measure.interval, measure.value)]
    heights = np.arange(len(measured))[::-1].astype(float)
    names = tuple(map(_short, measured))
    frame = Axis(-0.6, len(measured) - 0.4, "", tuple(heights), names)
    said = f"{title}: " + "; ".join(f"{name} {value}" for name, value in measured.items())
    left = 20 + 6 * max(map(len, names))
    chart = Chart(spanning([*ends], "tumor AUC by patch"), frame, said, height=70 + _ROW * len(measured), left=left)
    for place, (measure, y) in enumerate(zip(measured.values(), heights, strict=True)):
        _mark(chart, measure, y, f"s{place % SERIES}")
    return chart.node(title)


def _mark(chart: Chart, measure: Measure, y: float, look: str) -> None:
    if np.isfinite(measure.interval).all():
        chart.bars([measure.interval[0]], [measure.interval[1]], [y], look)
    chart.points([measure.value], [y], look, 5)
    chart.word(measure.value, y, f"{measure.value:.3f}", "middle", lift=9)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _numbers(runs: Sequence[Evidence]) -> Node:
    heads = ["run", "test", "AUC by patch", "by patient", "worst centre", "domain (chance)", "concept R2"]
    heads += ["ECE", "patients", "patches"]
    lines = [_line(run, role) for run in runs for role in run.tests]
    return table("Tumor against normal, and what else the network says", heads, lines, texts=2)


def _line(run: Evidence, role: str) -> list[object]:
    part, metrics, worst = run.part(role), run.metrics[role], worst_of(run, role)
    return [
        run.name,
        words(role),
        str(patch_auc(part)),
        str(patient_auc(part)),
        f"{worst[0].auc:.3f} (centre {worst[0].name})" if worst else "–",
        _domain(run, role),
        ", ".join(f"{name} {spoken(values['r2'])}" for name, values in metrics["concepts"].items()) or "–",
        spoken(metrics["calibration"]["ece"]),
        metrics["tumor"]["n_patients"],
        metrics["tumor"]["n"],
    ]
