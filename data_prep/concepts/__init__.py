"""Concepts: what a pathologist would measure on a patch."""

from data_prep.concepts.control import RANDOM, random_concept

__all__ = ["RANDOM", "random_concept"]
