"""Chance that depends on the slide and the class alone, not on workers or on other slides."""

import hashlib

import numpy as np


def generator_of(seed: int, slide: str, kind: str) -> np.random.Generator:
    """The random generator of the patches of class `kind` on `slide`: PCG64 seeded by a SHA-256 of the three."""
    digest = hashlib.sha256(f"{seed}\n{slide}\n{kind}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
