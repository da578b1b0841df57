"""Stain normalization: make patches of different laboratories and scanners look alike."""

from data_prep.stain.lab import standardize_brightness, statistics
from data_prep.stain.reinhard import Reinhard

__all__ = ["Reinhard", "standardize_brightness", "statistics"]
