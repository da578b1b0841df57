"""The TRIPOD+AI and CLAIM checklists, filled in as far as the run can speak for itself."""

import re
from collections.abc import Sequence
from html import escape

from data_prep.page import Node, element, section, table
from mta.exporting.facts import markdown_table
from mta.reporting.answers import ANSWERS, OPEN
from mta.reporting.evidence import Evidence
from mta.reporting.items import ITEMS, Item

_HEADS = ("item", "TRIPOD+AI", "CLAIM", "what the run says")
_ALL = "all runs"
_MARKUP = re.compile(r"[\\`*_\[\]!]")
"""What Markdown takes for more than text; bars are escaped by the table, < > & as HTML."""
_LEAD = (
    "Items of TRIPOD+AI (Collins et al. 2024) and CLAIM (2024 update) in our own words, with what the run folder "
    "says. The rest, and whether this suffices, is for the authors, who check against the guidelines themselves."
)


def checklist(runs: Sequence[Evidence]) -> Node:
    """The section: with several runs one answer for all where they say the same, else one for each."""
    heads = _heads(runs)
    tables = [table(group, heads, lines, texts=len(heads)) for group, lines in filled(runs).items()]
    return section("Checklist", element("p", f"{_LEAD} Also as Markdown beside this page.", class_="soft"), *tables)


def checklist_text(runs: Sequence[Evidence]) -> str:
    """The same as Markdown."""
    heads, groups = _heads(runs), filled(runs).items()
    tables = [f"## {group}\n\n{markdown_table(heads, map(_plain, lines))}" for group, lines in groups]
    (names,) = _plain([_flat(", ".join(run.name for run in runs))])
    return "\n\n".join([f"# TRIPOD+AI and CLAIM: {names}", _LEAD, *tables]) + "\n"


def _heads(runs: Sequence[Evidence]) -> tuple[str, ...]:
    return _HEADS if len(runs) == 1 else (*_HEADS[:-1], "run", _HEADS[-1])


def _plain(cells: Sequence[str]) -> list[str]:
    """`cells` without markup: neither Markdown nor the HTML that it lets through."""
    return [escape(_MARKUP.sub(r"\\\g<0>", cell), quote=False) for cell in cells]


def filled(runs: Sequence[Evidence]) -> dict[str, list[list[str]]]:
    """Group -> lines of (topic, TRIPOD+AI item, CLAIM item, answer), without line breaks.

    With several runs the names of those that say it come before an answer, or "all runs", each answer in a line.
    """
    return {group: [line for item in items for line in _lines(item, runs)] for group, items in ITEMS.items()}


def _lines(item: Item, runs: Sequence[Evidence]) -> list[list[str]]:
    asked = [item.topic, item.tripod or "–", item.claim or "–"]
    return [[*asked, *([whose] if len(runs) > 1 else []), answer] for answer, whose in _answers(item, runs).items()]


def _answers(item: Item, runs: Sequence[Evidence]) -> dict[str, str]:
    """Each answer that is given, and who gives it."""
    names: dict[str, list[str]] = {}
    for run in runs:
        names.setdefault(_flat(ANSWERS[item.answer](run)) if item.answer else OPEN, []).append(_flat(run.name))
    return {answer: _ALL if len(names) == 1 else ", ".join(given) for answer, given in names.items()}


def _flat(text: str) -> str:
    return " ".join(text.split())
