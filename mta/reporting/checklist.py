"""The TRIPOD+AI and CLAIM checklists, filled in as far as the run can speak for itself."""

import re
from collections.abc import Sequence
from html import escape

from data_prep.page import Node, element, section, table
from mta.exporting.facts import markdown_table
from mta.reporting.answers import ANSWERS, OPEN
from mta.reporting.evidence import Evidence
from mta.reporting.items import ITEMS

_HEADS = ("item", "TRIPOD+AI", "CLAIM", "what the run says")
_MARKUP = re.compile(r"[\\`*_\[\]!]")
"""What Markdown takes for more than text; bars are escaped by the table, < > & as HTML."""
_LEAD = (
    "Items of TRIPOD+AI (Collins et al. 2024) and CLAIM (2024 update) in our own words, with what the run folder "
    "says. The rest, and whether this suffices, is for the authors, who check against the guidelines themselves."
)


def checklist(runs: Sequence[Evidence]) -> Node:
    """The section. With several runs, the items are filled in from the first."""
    parts: list[Node] = [element("p", f"{_LEAD} Also as Markdown beside this page.", class_="soft")]
    if len(runs) > 1:
        parts.append(element("p", f"Filled in for {runs[0].name}.", class_="soft"))
    for group, lines in filled(runs[0]).items():
        parts += [table(group, _HEADS, lines, texts=len(_HEADS))]
    return section("Checklist", *parts)


def checklist_text(runs: Sequence[Evidence]) -> str:
    """The same as Markdown, for the run that is named first."""
    tables = [f"## {group}\n\n{markdown_table(_HEADS, map(_plain, lines))}" for group, lines in filled(runs[0]).items()]
    (name,) = _plain([_flat(runs[0].name)])
    return "\n\n".join([f"# TRIPOD+AI and CLAIM: {name}", _LEAD, *tables]) + "\n"


def _plain(cells: Sequence[str]) -> list[str]:
    """`cells` without markup: neither Markdown nor the HTML that it lets through."""
    return [escape(_MARKUP.sub(r"\\\g<0>", cell), quote=False) for cell in cells]


def filled(run: Evidence) -> dict[str, list[list[str]]]:
    """Group -> lines of (topic, TRIPOD+AI item, CLAIM item, answer), without line breaks."""
    return {
        group: [
            [
                item.topic,
                item.tripod or "–",
                item.claim or "–",
                _flat(ANSWERS[item.answer](run)) if item.answer else OPEN,
            ]
            for item in items
        ]
        for group, items in ITEMS.items()
    }


def _flat(text: str) -> str:
    return " ".join(text.split())
