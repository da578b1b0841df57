"""The stain normalization of one slide, as in training."""

from collections.abc import Callable

import numpy as np

from data_prep.slides import Slide
from data_prep.stain import Reinhard
from data_prep.stain.reference import sample_rows, slide_stains
from mta.predictor import Predictor
from mta.slides.grid import Grid

Normalize = Callable[[np.ndarray], np.ndarray]
UNFITTED = "no stains of the slide as a whole could be estimated; each patch was normalized by itself"


def slide_normalization(predictor: Predictor, slide: Slide, grid: Grid) -> tuple[Normalize, str]:
    """What brings patches (n, h, w, 3) uint8 of `slide` to the stain of the model, and a note ("": nothing to note).

    Patch by patch; a model that was trained on stains fitted by slide has those of this slide estimated on a sample of
    its patches, as `normalize --fit slide` does.
    """
    normalizer = predictor.normalizer
    if normalizer is None:
        return lambda images: images, ""
    # Tables that it makes when it is first used are made before several threads ask for them.
    normalizer.transform(np.full((1, 8, 8, 3), 255, np.uint8))
    if isinstance(normalizer, Reinhard) or not predictor.fitted_by_slide:
        return normalizer.transform, ""
    sample = grid.places[sample_rows(np.arange(len(grid.places)), 0)]
    stains = slide_stains(normalizer, np.stack([slide.read(int(x), int(y), grid.size, grid.mpp) for x, y in sample]))
    if stains is None:
        return normalizer.transform, UNFITTED
    return lambda images: normalizer.transform(images, source=stains), ""
