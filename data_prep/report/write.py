"""The page, section by section."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.files import write_text
from data_prep.page import Node, document, element, picture, section, strip, table
from data_prep.report import figures
from data_prep.report.extraction import Extracted, read_extraction
from data_prep.report.findings import Remark, find
from data_prep.report.sample import MOST_CENTRES, Look, look_at
from data_prep.report.summaries import QUANTILES, class_counts, concept_table
from data_prep.splits import assign_roles, patient_keys
from data_prep.splits.roles import slide_keys
from data_prep.splits.summary import count_roles
from data_prep.store import Patches, align_concepts, open_concepts, open_patches

_MANY_FLAT = 0.05


def write_report(out: str | Path, store: str, split: str = "", concepts: str = "", seed: int = 0) -> list[Remark]:
    """Write the page about `store` (as in `open_patches`) to `out` (HTML), whole or not at all; returns its findings.

    `split`: a split table, else the store's own roles count. `concepts`: a concept table, else the store's own.
    `seed`: of the sample of patches that is looked at. The same input gives the same page. Raises `InputError` for
    files that cannot be read or do not fit each other.
    """
    with open_patches(store) as patches:
        rows = patches.rows
        roles = _roles(rows, split)
        table_of_concepts = align_concepts(open_concepts(concepts or store), rows)
        looks = look_at(patches, seed)
        extracted = read_extraction(patches.files[0]) if len(patches.files) == 1 else None
        remarks = find(rows, roles, table_of_concepts) + _seen(looks) + _compared(split, roles) + _lost(extracted)
        parts: list[Node | None] = [_lead(patches, split, concepts), _tiles(patches), _findings(remarks)]
    parts += [_counts(rows, roles), _sheets(looks), _concepts(table_of_concepts, rows), _stain(looks)]
    parts.append(_extraction(extracted))
    write_text(out, document(f"Patches of {Path(store).name}", [part for part in parts if part is not None]))
    return remarks


def _roles(rows: pd.DataFrame, split: str) -> np.ndarray:
    if split:
        return assign_roles(rows, split)
    return rows["role"].to_numpy(dtype=str)


def _seen(looks: Mapping[str, Look]) -> list[Remark]:
    return [
        Remark(f"{look.flat} of {len(look.means)} patches looked at of centre {name} are blank or nearly so.")
        for name, look in looks.items()
        if look.flat > _MANY_FLAT * len(look.means)
    ]


def _compared(split: str, roles: np.ndarray) -> list[Remark]:
    """Whether near-duplicates were looked for, by what `split` has written beside its table."""
    if (roles == "").all():
        return []
    try:
        made = json.loads(Path(split).with_suffix(".json").read_text(encoding="utf-8"))
        allowed, near = [str(line) for line in made["leaks_allowed"]], made["near_duplicates"]
        compared = int(near["compared"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return [Remark("Near-duplicates across roles were not looked for; python -m data_prep split does that.")]
    pairs = [line for line in allowed if "near-duplicate" in line]
    missed = [] if compared else [Remark("No patch could be compared for near-duplicates: all are flat.")]
    return missed + [Remark(f"The split leaks: {line}.", True) for line in pairs]


def _lost(extracted: Extracted | None) -> list[Remark]:
    if extracted is None or not extracted.rejected:
        return []
    return [Remark(f"{len(extracted.rejected)} of {extracted.slides} slides gave no patch; see Extraction.")]


def _lead(patches: Patches, split: str, concepts: str) -> Node:
    sources = [("Store", ", ".join(path.name for path in patches.files))]
    sources += [("roles", Path(split).name if split else "as in the store")]
    sources += [("concepts", Path(concepts).name if concepts else "as in the store")]
    return element("p", " · ".join(f"{what}: {name}" for what, name in sources), class_="soft")


def _tiles(patches: Patches) -> Node:
    rows = patches.rows
    scales = sorted(set(rows["mpp"].dropna().round(4)))
    known = rows[rows["patient"] != ""]
    tiles = {
        "patches": f"{len(rows):,}",
        "patients": f"{len(set(patient_keys(known))):,}" if len(known) else "unknown",
        "slides": f"{len(set(slide_keys(rows)) - {''}) or 'unknown'}",
        "centres": f"{len(set(rows['centre']) - {''}) or 'unknown'}",
        "size": f"{patches.size[0]} × {patches.size[1]} px",
        "resolution": f"{', '.join(f'{scale:g}' for scale in scales[:3])} µm/px" if scales else "unknown",
        "tumor": f"{(rows['label'] == 1).sum() / max(1, (rows['label'] >= 0).sum()):.0%} of the labelled",
    }
    return element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in tiles.items()),
        class_="tiles",
    )


def _findings(remarks: list[Remark]) -> Node:
    if not remarks:
        return section("Findings", element("p", "Nothing to warn of.", class_="good"))
    items = [
        element("li", element("strong", kind), remark.text, class_=kind.lower())
        for kind, wanted in (("Problem", True), ("Warning", False))
        for remark in remarks
        if remark.problem == wanted
    ]
    return section("Findings", element("ul", *items, class_="findings"))


def _counts(rows: pd.DataFrame, roles: np.ndarray) -> Node:
    counts = class_counts(rows)
    spoken = "; ".join(
        f"centre {centre}: " + ", ".join(f"{line[name]} {name}" for name in counts)
        for centre, line in counts.iterrows()
    )
    lines = [
        [line["role"].replace("_", " ") or "(no role)", line["centre"] or "unknown", *list(line.values())[2:]]
        for line in count_roles(rows, roles).to_dict("records")
    ]
    heads = ["role", "centre", "normal", "tumor", "unlabelled", "patients", "slides"]
    return section(
        "Counts",
        picture(figures.counts_chart(counts), f"Bar chart of patches by centre and class. {spoken}."),
        table("Patches, patients and slides by role and centre", heads, lines, texts=2),
    )


def _concepts(concepts: pd.DataFrame, rows: pd.DataFrame) -> Node:
    if not len(concepts.columns):
        return section("Concepts", element("p", "None is in the store, and no concept table was given.", class_="soft"))
    units = concepts.attrs.get("units", {})
    parts = [element("p", "Boxes show quartiles, whiskers the range from 5 to 95 %.", class_="soft")]
    for name in map(str, concepts):
        parts += _concept(name, str(units.get(name, "")), concept_table(concepts[name], rows))
    return section("Concepts", *parts)


def _concept(name: str, unit: str, quantiles: pd.DataFrame) -> list[Node]:
    medians = ", ".join(
        f"centre {line['centre']} {line['class']} {line['median']:.3g}" for line in quantiles.to_dict("records")
    )
    chart = figures.boxes_chart(quantiles, f"{name} [{unit}]" if unit else name)
    heads = ["centre", "class", "patches", "absent", *QUANTILES]
    return [
        element("h3", f"{name} [{unit}]" if unit else name),
        element(
            "div",
            picture(chart, f"Boxes of {name} by centre and class. Medians: {medians}."),
            table(f"Quantiles of {name}", heads, quantiles.to_numpy(dtype=object).tolist(), texts=2),
            class_="pair",
        ),
    ]


def _sheets(looks: Mapping[str, Look]) -> Node:
    parts: list[Node] = []
    for centre, look in looks.items():
        parts.append(element("h3", f"Centre {centre}"))
        for kind, thumbnails in look.sheets.items():
            said = f"{len(thumbnails)} {kind} patches of centre {centre}"
            shown = f"{kind}, drawn at random, from as many patients as there are"
            parts.append(picture(strip(thumbnails), said, shown))
    if len(looks) == MOST_CENTRES:
        parts.append(element("p", f"No more than {MOST_CENTRES} centres are shown.", class_="soft"))
    return section("Contact sheets", *parts)


def _stain(looks: Mapping[str, Look]) -> Node:
    lines = [
        [name, len(look.means), *map(float, look.means.mean(axis=0)), *map(float, look.stds.mean(axis=0))]
        for name, look in looks.items()
    ]
    spoken = "; ".join(f"centre {line[0]}: L {line[2]:.0f}, a {line[3]:.0f}, b {line[4]:.0f}" for line in lines)
    heads = ["centre", "patches", "L mean", "a mean", "b mean", "L std", "a std", "b std"]
    chart = figures.stain_chart(list(looks), [look.means for look in looks.values()])
    return section(
        "Stain by centre",
        element(
            "p",
            "Color of a random sample of patches in LAB (L 0 to 100; a green to magenta, b blue to yellow), the "
            "statistics that Reinhard normalization makes equal. Centres that lie apart are told by color alone.",
            class_="soft",
        ),
        picture(
            chart, f"Mean L, a and b of patches by centre. {spoken}.", "A dot is a patch, the bar its centre's mean."
        ),
        table("Means over patches of the mean and the deviation within a patch", heads, lines),
    )


def _extraction(extracted: Extracted | None) -> Node | None:
    if extracted is None:
        return None
    parts: list[Node] = [element("p", f"{extracted.slides} slides were cut, {len(extracted.rejected)} gave no patch.")]
    if extracted.rejected:
        parts.append(table("Slides without a patch", ["slide", "status", "reason"], extracted.rejected, texts=3))
    if extracted.refused:
        parts.append(table("Patches kept and refused", extracted.heads, extracted.refused, texts=2))
    return section("Extraction", *parts)
