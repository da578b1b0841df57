"""Where to cut patches out of a slide, and which of them to keep. See `docs/slides.md`."""

from data_prep.sampling.ground import UNLABELLED, Ground, label_of
from data_prep.sampling.judge import VOID, Judge, Limits
from data_prep.sampling.original import original_mask, original_places
from data_prep.sampling.places import grid_places, random_places
from data_prep.sampling.seeds import generator_of

__all__ = [
    "UNLABELLED",
    "VOID",
    "Ground",
    "Judge",
    "Limits",
    "generator_of",
    "grid_places",
    "label_of",
    "original_mask",
    "original_places",
    "random_places",
]
