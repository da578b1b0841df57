"""Whole slides and plain images behind one door. See `docs/slides.md`."""

from data_prep.slides.opening import open_slide
from data_prep.slides.resolution import is_coarser, require_resolution
from data_prep.slides.slide import Slide

__all__ = ["Slide", "is_coarser", "open_slide", "require_resolution"]
