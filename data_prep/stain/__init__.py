"""Stain normalization and augmentation: make patches of laboratories and scanners look alike, or vary."""

from data_prep.stain.augment import HED, draw_jitter, jitter_hed, jitter_stains
from data_prep.stain.lab import standardize_brightness, statistics
from data_prep.stain.loading import METHODS, Normalizer, load_normalizer, make_normalizer, parse_normalizer
from data_prep.stain.macenko import Macenko
from data_prep.stain.reinhard import Reinhard
from data_prep.stain.stains import Stains
from data_prep.stain.vahadane import Vahadane

__all__ = [
    "HED",
    "METHODS",
    "Macenko",
    "Normalizer",
    "Reinhard",
    "Stains",
    "Vahadane",
    "draw_jitter",
    "jitter_hed",
    "jitter_stains",
    "load_normalizer",
    "make_normalizer",
    "parse_normalizer",
    "standardize_brightness",
    "statistics",
]
