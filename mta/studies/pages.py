"""The table of a study for people: HTML that needs nothing else, and LaTeX."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from data_prep.page import Node, document, element, picture, section
from data_prep.page import table as html_table
from mta.evaluation.style import words
from mta.studies.plan import StudyPlan
from mta.studies.table import cell, interval_cell

_EPOCH = {"best": "the epoch with the best monitored validation loss", "last": "the last epoch"}


def method_note(plan: StudyPlan) -> str:
    """How the numbers came about, in a few sentences."""
    for_new = "new seeds and new patients" if len(plan.seeds) > 1 else "new patients (one seed says nothing of others)"
    note = (
        f"Measured is {_EPOCH[plan.model]} of each run (model: {plan.model}). Mean (standard deviation) over seeds "
        f"{', '.join(map(str, plan.seeds))}. Differences of the tumor AUC are paired by seed and patient, with 95 % "
        f"intervals for {for_new}."
    )
    return note + (" Scores are ranked within each split and role before they are pooled." if plan.splits else "")


def html_page(plan: StudyPlan, table: pd.DataFrame, roles: Sequence[str], figure: Path) -> str:
    """The page with `figure` (PNG) inside."""
    source = "data:image/png;base64," + base64.b64encode(figure.read_bytes()).decode()
    parts: list[Node] = [
        element("p", method_note(plan), class_="soft"),
        section("Tumor AUC", _means(table, [(f"auc_{role}", words(role)) for role in roles], "Mean (std) over seeds")),
        section("Differences", *_differences(plan, table, roles), picture(source, "Differences with intervals")),
        section("Other measures", *_others(table)),
    ]
    return document("Study", parts)


def _means(table: pd.DataFrame, columns: list[tuple[str, str]], caption: str) -> Node:
    heads = ["row", "seeds", *(title for _, title in columns)]
    lines = [
        [line["row"], int(line["seeds"]), *(cell(line, name) for name, _ in columns)] for _, line in table.iterrows()
    ]
    return html_table(caption, heads, lines)


def _differences(plan: StudyPlan, table: pd.DataFrame, roles: Sequence[str]) -> list[Node]:
    return [
        html_table(
            f"Tumor AUC minus that of {other}, with 95 % interval",
            ["row", *map(words, roles)],
            [[line["row"], *(interval_cell(line, f"{kind}_{role}") for role in roles)] for _, line in table.iterrows()],
        )
        for kind, other in compared(plan)
    ]


def compared(plan: StudyPlan) -> list[tuple[str, str]]:
    """(kind, row) of what all rows are compared with."""
    return [("baseline", plan.baseline), *([("control", plan.control)] if plan.control else [])]


_OTHERS = {"worst_centre_auc_": "AUC of the worst centre", "domain_": "Centres told right", "r2_": "R2 of concepts"}


def _others(table: pd.DataFrame) -> list[Node]:
    """Worst centre, domain accuracy beside what guessing would reach, and R2, a table each."""
    return [
        _means(table, columns, f"{title}, mean (std) over seeds")
        for start, title in _OTHERS.items()
        if (columns := [(name, words(name.removeprefix(start))) for name in table if _is_mean(name, start)])
    ]


def _is_mean(name: str, start: str) -> bool:
    return name.startswith(start) and not name.endswith(("_std", "_low", "_high"))


def _grid(plan: StudyPlan, table: pd.DataFrame, roles: Sequence[str]) -> list[list[str]]:
    """Heads, then a line a row: AUC of each role, and differences to baseline and control."""
    kinds = [(kind, other, role) for kind, other in compared(plan) for role in roles]
    heads = ["row", *(f"AUC {words(role)}" for role in roles)]
    heads += [f"minus {other}, {words(role)}" for _, other, role in kinds]
    lines = [
        [
            str(line["row"]),
            *(cell(line, f"auc_{role}") for role in roles),
            *(interval_cell(line, f"{kind}_{role}") for kind, _, role in kinds),
        ]
        for _, line in table.iterrows()
    ]
    return [heads, *lines]


def latex_table(plan: StudyPlan, table: pd.DataFrame, roles: Sequence[str]) -> str:
    """A tabular (booktabs) with AUCs and differences."""
    heads, *lines = [" & ".join(map(_latex, line)) + r" \\" for line in _grid(plan, table, roles)]
    begin = rf"\begin{{tabular}}{{l{'r' * heads.count('&')}}}"
    note = f"% {method_note(plan)}"
    return "\n".join([note, begin, r"\toprule", heads, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def as_text(plan: StudyPlan, table: pd.DataFrame, roles: Sequence[str]) -> str:
    """The same for a terminal: AUCs, and differences to the baseline alone."""
    shown = 1 + 2 * len(roles)
    grid = [line[:shown] for line in _grid(plan, table, roles)]
    widths = [max(len(line[place]) for line in grid) for place in range(shown)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in grid)


_LATEX = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "–": "--", "{": r"\{", "}": r"\}"}


def _latex(text: object) -> str:
    said = "".join(_LATEX.get(letter, letter) for letter in str(text))
    return re.sub(r"(?<![^\s\[])-(?=\d)", "$-$", said)
