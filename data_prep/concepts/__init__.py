"""Concepts: what a pathologist would measure on a patch. See `docs/concepts.md`."""

from data_prep.concepts.catalog import BUILT_IN, ORIGINAL, UNITS, Concept
from data_prep.concepts.control import RANDOM, random_concept
from data_prep.concepts.measuring import measure, measure_many
from data_prep.concepts.registry import load_plugin, register, unregister

__all__ = [
    "BUILT_IN",
    "ORIGINAL",
    "RANDOM",
    "UNITS",
    "Concept",
    "load_plugin",
    "measure",
    "measure_many",
    "random_concept",
    "register",
    "unregister",
]
