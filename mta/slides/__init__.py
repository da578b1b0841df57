"""Predictions for whole slides: heatmaps, regions, tables and a description of each. See `docs/inference.md`."""

from mta.slides.cohort import predict_slides
from mta.slides.settings import SlideSettings

__all__ = ["SlideSettings", "predict_slides"]
