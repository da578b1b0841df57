"""What the runs were measured on beside their own store: `python -m mta.evaluate RUN --data STORE`."""

from collections.abc import Sequence

import pandas as pd

from data_prep.page import Node, element, section, table
from mta.evaluation.style import words
from mta.reporting.chart import panels
from mta.reporting.evidence import Evidence
from mta.reporting.headline import forest
from mta.reporting.measures import Measure, patch_auc, patient_auc, spoken
from mta.reporting.other_data import OtherData, unfinished

_HEADS = (
    "run",
    "data",
    "rows",
    "AUC by patch",
    "by patient",
    "accuracy at 0.5",
    "ECE",
    "centres",
    "patients",
    "patches",
)
_READ = (
    "Each store under the role that it gives its rows, external test where it gives none. Centres are named as that "
    "store names them: the same name need not be the same hospital."
)


def elsewhere(runs: Sequence[Evidence]) -> Node:
    """The section, or the command that there is something to show after."""
    members = [one for run in runs for one in run.members]
    found = [(run, data) for run in members for data in run.elsewhere]
    parts: list[Node] = [_figures(found), _table(found), element("p", _READ, class_="soft")] if found else []
    remarks = [element("li", _remark(run, data)) for run, data in found]
    remarks += [element("li", text) for run in members for text in _unfinished(run)]
    if remarks:
        parts.append(element("ul", *remarks))
    if not found:
        command = element("code", f"python -m mta.evaluate {members[0].folder.path} --data STORE")
        parts.append(element("p", "No other data measured yet: ", command, class_="soft"))
    return section("Other data", *parts)


def told(run: Evidence) -> list[str]:
    """Each evaluation of `run` in words, role by role."""
    return [
        f"{data.name}{f' ({one.name})' if run.folds else ''}, {words(role)}: AUC by patch {patch_auc(part)}"
        for one in run.members
        for data in one.elsewhere
        for role, part in data.parts.items()
    ]


def _figures(found: Sequence[tuple[Evidence, OtherData]]) -> Node:
    """A figure for each store and role, all runs in it."""
    measured: dict[str, dict[str, Measure]] = {}
    for run, data in found:
        for role, part in data.parts.items():
            measured.setdefault(f"{data.name}, {words(role)}", {})[run.name] = patch_auc(part)
    return panels(*(forest(values, title) for title, values in measured.items()))


def _table(found: Sequence[tuple[Evidence, OtherData]]) -> Node:
    lines = [_line(run, data, role, part) for run, data in found for role, part in data.parts.items()]
    return table("Tumor against normal on other data than that of the run", _HEADS, lines, texts=3)


def _line(run: Evidence, data: OtherData, role: str, part: pd.DataFrame) -> list[object]:
    tumor, calibration = data.metrics[role]["tumor"], data.metrics[role]["calibration"]
    centres = ", ".join(sorted({centre or "unknown" for centre in part["centre"]}))
    areas = [str(patch_auc(part)), str(patient_auc(part))]
    scores = [spoken(tumor["accuracy"]), spoken(calibration["ece"])]
    return [run.name, data.name, words(role), *areas, *scores, centres, tumor["n_patients"], tumor["n"]]


def _remark(run: Evidence, data: OtherData) -> str:
    """Which files, which model, and whether patients may have been trained on."""
    shared, model = data.about.get("shared_patients"), data.about.get("model", "–")
    known = "whether a patient was trained on is not recorded"
    if shared == 0:
        known = "no tested patient has the name of a training patient"
    elif shared is not None:
        known = f"{shared} tested patients have the name of a training patient: if they are the same, this is too good"
    return f"{run.name}, {data.name}: {data.about.get('data', '–')}, {model} model; {known}."


def _unfinished(run: Evidence) -> list[str]:
    return [f"{run.name}, {name}: not finished, and left out." for name in unfinished(run.folder)]
