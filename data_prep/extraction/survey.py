"""A first look at a slide: tissue and annotation on an overview, fine enough for the patches that are wanted."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data_prep.annotations import Annotation, rasterize, read_annotation
from data_prep.cohorts import SlideEntry
from data_prep.cohorts.entry import NORMAL
from data_prep.extraction.preview import SHORTEST
from data_prep.extraction.settings import ExtractionSettings
from data_prep.sampling import Ground, original_mask
from data_prep.sampling.original import DOWNSAMPLE
from data_prep.slides import Slide
from data_prep.tissue import otsu_tissue, saturation_tissue

# Mask pixels along a patch, and mask pixels in all, which bound what a large slide or a small patch costs.
ALONG_PATCH = 8
LARGEST = 24_000_000
# A level of the slide so near to what is wanted is taken as it is: to shrink a finer one costs many times more.
_FINER, _COARSER = 0.6, 1.2


def annotation_of(entry: SlideEntry, slide: Slide, settings: ExtractionSettings) -> Annotation | None:
    """What is known of the tumor of a slide; None where nobody has drawn it, and it is not wholly normal either."""
    if entry.annotation is not None:
        return read_annotation(entry.annotation, slide, settings.geojson_in_bounds)
    return Annotation(shapely.Polygon()) if entry.label == NORMAL else None


@dataclass(frozen=True)
class Survey:
    """A slide from afar: the `ground` to sample from, the `overview` (h, w, 3) uint8 RGB that its masks were made of,
    and a `picture` to look at, whose edges are a whole multiple of the overview's."""

    ground: Ground
    overview: np.ndarray
    picture: np.ndarray


def survey(slide: Slide, annotation: Annotation | None, settings: ExtractionSettings) -> Survey:
    """Look at `slide` from afar; overview and picture come from one pass, as to read is what costs."""
    mpp = slide.mpp * _downsample(slide, settings)
    finer = math.ceil(SHORTEST * slide.overview_scale(mpp) / max(slide.size))
    overview, picture, scale = slide.overviews(mpp, finer)
    tissue = otsu_tissue(overview) if settings.tissue == "otsu" else saturation_tissue(overview)
    tumor: Any = None if annotation is None else annotation.tumor
    drawn = None if tumor is None else _drawn(tumor, tissue.shape, scale, settings)
    aside: Any = None if annotation is None else annotation.aside
    return Survey(Ground(slide.size, slide.bounds, scale, tissue, drawn, tumor, aside), overview, picture)


def _downsample(slide: Slide, settings: ExtractionSettings) -> float:
    """Level-0 pixels a mask pixel."""
    if settings.sampling == "original":
        return DOWNSAMPLE
    least = max(1.0, math.sqrt(slide.size[0] * slide.size[1] / LARGEST))
    wanted = max(patch_side(slide, settings) / ALONG_PATCH, least)
    near = [down for down in slide.downsamples if max(least, _FINER * wanted) <= down <= _COARSER * wanted]
    return max(near, default=wanted)


def _drawn(tumor: Any, shape: tuple[int, int], scale: float, settings: ExtractionSettings) -> np.ndarray:
    return original_mask(tumor, shape, scale) if settings.sampling == "original" else rasterize(tumor, shape, scale)


def patch_side(slide: Slide, settings: ExtractionSettings) -> float:
    """Edge of a patch in level-0 pixels."""
    return settings.size * settings.patch_mpp(slide.mpp) / slide.mpp
