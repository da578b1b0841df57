"""The worst errors: patches of which the network was surest, and wrong."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from data_prep.errors import InputError
from data_prep.page import Node, element, jpeg, section
from data_prep.store import Patches
from mta.evaluation.style import words
from mta.reporting.evidence import Evidence
from mta.reporting.pixels import thumbnails

_SHOWN, _SIDE = 8, 128
_KINDS = {0: "normal called tumor", 1: "tumor called normal"}


def errors(runs: Sequence[Evidence], pixels: Sequence[Patches | str]) -> Node:
    """The section: the surest mistakes of each run, test and class."""
    parts: list[Node] = []
    for run, source in zip(runs, pixels, strict=True):
        if len(runs) > 1:
            parts.append(element("h3", run.name))
        parts += _of_run(run, source)
    return section("Worst errors", *parts)


def mistakes(part: pd.DataFrame, label: int) -> pd.DataFrame:
    """The rows of class `label` on the wrong side of probability 0.5, the surest first."""
    wrong = part[(part["label"] == label) & ((part["logit"] > 0) != (label == 1))]
    return wrong.sort_values("logit", ascending=label == 1, kind="stable")


def _of_run(run: Evidence, source: Patches | str) -> list[Node]:
    parts: list[Node] = []
    if isinstance(source, str):
        parts.append(element("p", source, class_="soft"))
    for role in run.tests:
        for label, kind in _KINDS.items():
            wrong, total = mistakes(run.part(role), label), int((run.part(role)["label"] == label).sum())
            parts.append(element("h4", f"{words(role)}, {kind}: {len(wrong):,} of {total:,}"))
            parts.append(_gallery(wrong.head(_SHOWN), source))
    return parts


def _gallery(wrong: pd.DataFrame, source: Patches | str) -> Node:
    try:
        images = _pictures(wrong, source)
    except InputError as error:
        return element("p", f"The patches cannot be read: {error}", class_="soft")
    figures = []
    for image, row in zip(images, wrong.to_dict("records"), strict=True):
        chance = float(expit(row["logit"]))
        where = ", ".join(f"{name} {row[name]}" for name in ("patient", "slide", "centre") if row[name])
        caption = element("figcaption", f"P(tumor) {chance:.3f}; row {row['row']}; {where}")
        alt = f"Patch in row {row['row']}, P(tumor) {chance:.3f}"
        shown = [element("img", src=image, alt=alt, width=f"{_SIDE}", height=f"{_SIDE}")] if image else []
        figures.append(element("figure", *shown, caption))
    return element("div", *figures, class_="gallery") if figures else element("p", "None.", class_="soft")


def _pictures(wrong: pd.DataFrame, source: Patches | str) -> list[str]:
    if isinstance(source, str):
        return [""] * len(wrong)
    return [jpeg(image) for image in thumbnails(source, wrong["row"].to_numpy(np.int64), _SIDE)]
