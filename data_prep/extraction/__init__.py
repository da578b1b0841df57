"""Patches from slides: one task a slide, on one machine or many. See `docs/slides.md`."""

from data_prep.extraction.extract import Extraction, extract
from data_prep.extraction.settings import ExtractionSettings

__all__ = ["Extraction", "ExtractionSettings", "extract"]
