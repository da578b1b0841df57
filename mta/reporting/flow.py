"""What was trained and tested on what: patients, slides and patches by role and centre."""

from collections.abc import Sequence

import pandas as pd

from data_prep.page import Node, element, section, table
from data_prep.splits import ROLES, patient_keys
from data_prep.splits.roles import slide_keys
from data_prep.store import Patches
from data_prep.store.words import counted
from mta.evaluation.style import words
from mta.reporting.chart import SERIES
from mta.reporting.evidence import Evidence

_WIDTH, _BOX, _ROW, _NAME = 720, 190, 62, 40
_LOOKS = {"train": "s5", "validation": "s3", "internal_test": "s0", "external_test": "s1", "": "soft"}

Branch = tuple[str, tuple[int, int, int], str]
"""Name, (patients, slides, patches), and look."""


def flow(runs: Sequence[Evidence], pixels: Sequence[Patches | str]) -> Node:
    """The section: once for runs of one split, else for each. The store says the class of training patches, too."""
    same = all(run.split.equals(runs[0].split) for run in runs)
    shown = runs[:1] if same else runs
    parts: list[Node] = []
    for run, source in zip(shown, pixels, strict=False):
        if len(shown) > 1:
            parts.append(element("h3", run.name))
        parts += [_diagram(run.split, _branches(run)), _counts(run, source)]
        parts += [element("p", line, class_="soft") for line in _remarks(run)]
    return section("What was trained on what", *parts)


def tally(split: pd.DataFrame) -> dict[str, tuple[int, int, int]]:
    """Role ("" = unused) -> (patients, slides, patches), for those that occur."""
    keys = pd.DataFrame({"patient": patient_keys(split), "slide": slide_keys(split), "role": split["role"]})
    parts = {role: keys[keys["role"] == role] for role in (*ROLES, "")}
    return {role: _sizes(part) for role, part in parts.items() if len(part)}


def _sizes(part: pd.DataFrame) -> tuple[int, int, int]:
    return part["patient"].nunique(), len(set(part["slide"]) - {""}), len(part)


def size_text(sizes: tuple[int, int, int]) -> str:
    """ "3 patients, 4 slides, 500 patches"; slides are left out where none is known."""
    patients, slides, patches = sizes
    known = [counted(slides, "slide")] if slides else []
    return ", ".join([counted(patients, "patient"), *known, f"{patches:,} patches"])


def _branches(run: Evidence) -> list[Branch]:
    """The roles of `run`; of a cross-validated one the test of each fold in the place of the internal test."""
    tests = [
        (
            f"test of {fold.name.rpartition('/')[2]}",
            tally(fold.split).get("internal_test", (0, 0, 0)),
            f"s{number % SERIES}",
        )
        for number, fold in enumerate(run.folds)
    ]
    roles = [(role, sizes) for role, sizes in tally(run.split).items() if not (tests and role == "internal_test")]
    return [*tests, *((_called(role), sizes, "soft" if tests else _LOOKS[role]) for role, sizes in roles)]


def _diagram(split: pd.DataFrame, branches: Sequence[Branch]) -> Node:
    whole = size_text(_sizes(split.assign(patient=patient_keys(split), slide=slide_keys(split))))
    spoken = "; ".join(f"{name}: {size_text(sizes)}" for name, sizes, _ in branches)
    height = _ROW * len(branches)
    svg = element("svg", viewBox=f"0 0 {_WIDTH} {height}", class_="wide", role="img")
    svg.set("aria-label", f"Flow of the data. All: {whole}. {spoken}.")
    top, share = 0.0, height / sum(sizes[2] for _, sizes, _ in branches)
    for number, (name, sizes, look) in enumerate(branches):
        thick = sizes[2] * share
        svg.append(_ribbon(top, top + thick, number * _ROW + 6, (number + 1) * _ROW - 6, look))
        _box(svg, _WIDTH - 2 * _BOX, number * _ROW + 6, name, size_text(sizes), look)
        top += thick
    middle = height / 2
    svg.append(element("rect", x="0", y="0", width=f"{_BOX}", height=f"{height}", rx="6", class_="box"))
    _words(svg, 12, middle - 4, "Patch store", "name")
    for number, line in enumerate(whole.split(", ")):
        _words(svg, 12, middle + 12 + 14 * number, line, "note")
    return element("figure", svg, class_="chart")


def _called(role: str) -> str:
    return words(role) if role else "not used"


def _ribbon(top: float, bottom: float, upper: float, lower: float, look: str) -> Node:
    start, end = _BOX, _WIDTH - 2 * _BOX
    bend = (start + end) / 2
    path = f"M{start} {top:.1f}C{bend} {top:.1f} {bend} {upper} {end} {upper}L{end} {lower}"
    return element("path", d=f"{path}C{bend} {lower} {bend} {bottom:.1f} {start} {bottom:.1f}Z", class_=f"flow {look}")


def _box(svg: Node, x: float, y: float, name: str, text: str, look: str) -> None:
    box = {"x": f"{x}", "y": f"{y}", "width": f"{2 * _BOX}", "height": f"{_ROW - 12}", "rx": "6"}
    svg.append(element("rect", class_="box", **box))
    svg.append(element("rect", x=f"{x}", y=f"{y}", width="5", height=f"{_ROW - 12}", class_=f"dot {look}"))
    _words(svg, x + 16, y + 20, name, "name")
    _words(svg, x + 16, y + 38, text, "note")


def _words(svg: Node, x: float, y: float, text: str, look: str) -> None:
    svg.append(element("text", text, x=f"{x:.0f}", y=f"{y:.0f}", class_=look))


def _counts(run: Evidence, source: Patches | str) -> Node:
    """Patients, slides and patches by role and centre; tumor by the store, without it by the predictions."""
    stored = isinstance(source, Patches)
    labelled = source.rows.rename_axis("row").reset_index() if isinstance(source, Patches) else run.predictions
    split = run.split.assign(key=patient_keys(run.split), place=slide_keys(run.split))
    split["tumor"] = split["row"].astype(int).isin(labelled.loc[labelled["label"] == 1, "row"])
    lines = []
    for role in [role for role in (*ROLES, "") if (split["role"] == role).any()]:
        for centre, part in split[split["role"] == role].groupby("centre"):
            lines.append(_count(role, str(centre), part, stored or role in run.metrics))
    heads = ["role", "centre", "patients", "slides", "patches", "of them tumor"]
    return table("By role and centre", heads, lines, texts=2)


def _count(role: str, centre: str, part: pd.DataFrame, known: bool) -> list[object]:
    sizes = part["key"].nunique(), len(set(part["place"]) - {""}), len(part)
    share = int(part["tumor"].sum()) if known else "–"
    return [_called(role), centre or "unknown", *sizes, share]


def _remarks(run: Evidence) -> list[str]:
    lines = _outside(run)
    leaks = leaks_text(run)
    lines.append(f"{leaks[0].upper()}{leaks[1:]}.")
    mpp = run.record.get("mpp")
    lines.append(f"Median resolution of training: {mpp:g} µm a pixel." if mpp else "The resolution is not known.")
    return lines


def _outside(run: Evidence) -> list[str]:
    """What is to be said of the centres of the external test; nothing where there is no such test."""
    tested = set(run.split.loc[run.split["role"] == "external_test", "centre"])
    if outside := sorted(tested - run.trained_centres - {""}):
        return [f"Centres in the external test alone: {', '.join(outside)}."]
    if not tested:
        return []
    if "" in tested:
        return ["The centres of the external test are not known."]
    return ["Every centre of the external test is in training, too: it is no test on an unseen centre."]


def leaks_text(run: Evidence) -> str:
    """Whether patients are in several roles, as far as `run.json` says."""
    leaks = run.record.get("leaks")
    if leaks is None:
        return "whether a patient is in two roles is not recorded"
    return f"leaks let through: {'; '.join(map(str, leaks))}" if leaks else "no patient is in two roles (checked)"
