"""Rows, patches, masks and concepts of a synthetic data set, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.synthetic.anatomy import SlideTraits, draw_nuclei, draw_regions, draw_traits
from data_prep.synthetic.cohort import EXTERNAL, plan_rows
from data_prep.synthetic.looks import CENTRE_LOOKS, EXTERNAL_LOOKS, EXTERNAL_SPREAD, Look, photograph, vary
from data_prep.synthetic.paint import number_visible
from data_prep.synthetic.spec import SyntheticSpec
from data_prep.synthetic.tissue import stain_section

BLOCK = 32
CONCEPTS = {"ncount": "nuclei", "narea": "px", "narea_um2": "um2", "texture": "1", "chromatin_std": "OD"}
"""Concept → unit. `ncount`: nuclei in the mask; `narea`, `narea_um2`: their mean visible area; `texture`: mean relative
contrast of the chromatin that they were drawn with; `chromatin_std`: mean deviation of hematoxylin inside of a nucleus.
"""
STREAMS = {"patch": 1, "slide": 2, "patient": 3}  # independent random streams of one seed; the cohort's is 0


@dataclass(frozen=True)
class Block:
    """Consecutive patches: RGB `uint8` (n, s, s, 3), nuclei masks `uint16` (n, s, s) numbered from 1 in each patch,
    their part of the row table, and the true concepts (float64 columns as in `CONCEPTS`, NaN without nuclei).
    """

    patches: np.ndarray
    masks: np.ndarray
    rows: pd.DataFrame
    concepts: pd.DataFrame


@dataclass(frozen=True)
class Slide:
    """What all patches of a slide share."""

    look: Look
    traits: SlideTraits


def synthesize(spec: SyntheticSpec) -> Iterator[Block]:
    """The data set `spec` as blocks of up to 32 patches, in the order of `plan_rows(spec)`.

    Each patch has a random stream of its own, so equal specs give equal bytes.
    """
    rows = plan_rows(spec)
    slides = draw_slides(spec, rows)
    for start in range(0, len(rows), BLOCK):
        part = rows.iloc[start : start + BLOCK]
        drawn = [draw_patch(spec, i, slides[row.slide], bool(row.label)) for i, row in part.iterrows()]
        patches, masks, concepts = zip(*drawn, strict=True)
        table = pd.DataFrame(list(concepts), columns=list(CONCEPTS), index=part.index, dtype=np.float64)
        yield Block(np.stack(patches), np.stack(masks), part, table)


def draw_slides(spec: SyntheticSpec, rows: pd.DataFrame) -> dict[str, Slide]:
    """Look and traits of each slide; traits vary between patients, looks between slides too."""
    slides: dict[str, Slide] = {}
    people = rows.drop_duplicates("patient")
    mixtures = _mixtures(spec, int((people["centre"] == str(EXTERNAL)).sum()))
    for number, person in enumerate(people.itertuples()):
        rng = np.random.default_rng([spec.seed, STREAMS["patient"], number])
        traits = draw_traits(rng)
        external = person.centre == str(EXTERNAL)
        look = (
            EXTERNAL_LOOKS[0].mixed(EXTERNAL_LOOKS[1], next(mixtures)) if external else CENTRE_LOOKS[int(person.centre)]
        )
        for name in sorted(rows.loc[rows["patient"] == person.patient, "slide"].unique()):
            slides[name] = Slide(vary(rng, look, 0.08), traits)
    return slides


def _mixtures(spec: SyntheticSpec, patients: int) -> Iterator[float]:
    """Where each external patient lies on the way between the two protocols: half near each, in random order."""
    rng = np.random.default_rng([spec.seed, STREAMS["patient"]])
    beyond = np.linspace(-EXTERNAL_SPREAD, EXTERNAL_SPREAD, patients)
    return iter(rng.permutation(np.where(beyond < 0, beyond, 1 + beyond)))


def draw_patch(
    spec: SyntheticSpec, number: int, slide: Slide, tumor: bool
) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Patch `number`: RGB `uint8` (s, s, 3), mask `uint16` (s, s) and the values of `CONCEPTS`."""
    rng = np.random.default_rng([spec.seed, STREAMS["patch"], number])
    regions = draw_regions(rng, tumor, spec.difficulty, spec.size, spec.mpp)
    nuclei = draw_nuclei(rng, regions, tumor, spec.difficulty, slide.traits, spec.mpp)
    hematoxylin, eosin, canvas = stain_section(rng, regions, nuclei, spec.mpp)
    patch = photograph(rng, hematoxylin, eosin, vary(rng, slide.look, 0.10), spec.mpp)
    mask, visible = number_visible(canvas.labels, len(nuclei))
    return patch, mask.astype(np.uint16), concepts_of(mask, hematoxylin, nuclei.chromatin[visible], spec.mpp)


def concepts_of(mask: np.ndarray, hematoxylin: np.ndarray, chromatin: np.ndarray, mpp: float) -> tuple[float, ...]:
    """Values of `CONCEPTS` for nuclei numbered 1..n in `mask`, drawn with the contrasts `chromatin` (n,)."""
    if not len(chromatin):
        return 0.0, np.nan, np.nan, np.nan, np.nan
    flat, density = mask.ravel(), hematoxylin.ravel().astype(np.float64)
    pixels = np.bincount(flat)[1:]
    mean = np.bincount(flat, density)[1:] / pixels
    deviation = np.sqrt(np.maximum(np.bincount(flat, density**2)[1:] / pixels - mean**2, 0))
    area = float(pixels.mean())
    return float(len(chromatin)), area, area * mpp**2, float(chromatin.mean()), float(deviation.mean())
