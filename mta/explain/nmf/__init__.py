"""Non-negative matrix factorization of activations: parts that mean the same in every patch (`docs/maps.md`)."""

from mta.explain.nmf.choosing import Scan, choose
from mta.explain.nmf.fitting import fit_parts, relative_error
from mta.explain.nmf.matching import agreement_of, matched_cosines
from mta.explain.nmf.vectors import Vectors
from mta.explain.nmf.weights import part_weights

__all__ = [
    "Scan",
    "Vectors",
    "agreement_of",
    "choose",
    "fit_parts",
    "matched_cosines",
    "part_weights",
    "relative_error",
]
