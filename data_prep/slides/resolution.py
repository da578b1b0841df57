"""Micrometres a pixel: what a file says, and whether what is asked for is there."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.errors import InputError

if TYPE_CHECKING:
    from data_prep.slides.slide import Slide

# Two scales that differ by less are one scale: files round (0.2498 for 0.25), and so do the steps between levels.
CLOSE = 0.01
_SQUARE = 0.02
# What a light microscope can mean. 72 or 96 dots an inch, which programs write for want of a scale, are 353 and 265.
_LEAST, _MOST = 0.01, 20.0
_REMEDY = "give it: a column mpp in the table of slides, or --slide-mpp (in Python mpp=0.25, say)"


def pixel_size(path: Path, x: float | None, y: float | None) -> float | None:
    """Micrometres a pixel from its width `x` and height `y` as in the file `path`; None where they mean nothing.

    Raises `InputError` where pixels are not square by more than 2 %.
    """
    x, y = x or y, y or x
    if x is None or y is None or not (_LEAST <= x <= _MOST and _LEAST <= y <= _MOST):
        return None
    if abs(x - y) > _SQUARE * max(x, y):
        raise InputError(f"{path}: pixels of {x:.4g} x {y:.4g} um are not square; save the slide with square ones")
    return (x + y) / 2


def decide_mpp(path: Path, given: float | None, found: float | None) -> float:
    """`given` where there is one, else `found` in the file; never a guess. `InputError` says how to give it."""
    if given is not None:
        if not (math.isfinite(given) and _LEAST <= given <= _MOST):
            raise InputError(f"{path}: mpp {given:g} is no scale of a slide; give micrometres a pixel, as in 0.25")
        return float(given)
    if found is None:
        raise InputError(f"{path}: does not say how many micrometres a pixel has; {_REMEDY}")
    return found


def require_resolution(slide: "Slide", mpp: float, allow_upsampling: bool = False) -> None:
    """Raise `InputError` where `mpp` is finer than `slide` by more than 1 %, unless `allow_upsampling`."""
    if is_coarser(slide, mpp) and not allow_upsampling:
        raise InputError(
            f"{slide.path}: has {slide.mpp:.4g} um a pixel, coarser than the {mpp:.4g} asked for; "
            f"take --mpp {slide.mpp:.4g} or more, or add --allow-upsampling"
        )


def is_coarser(slide: "Slide", mpp: float) -> bool:
    """Whether `slide` is coarser than `mpp` by more than 1 %."""
    return mpp < slide.mpp * (1 - CLOSE)
