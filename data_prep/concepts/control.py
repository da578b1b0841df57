"""The control concept: a target that carries no information."""

import hashlib

import numpy as np
import pandas as pd
from scipy.special import ndtri

RANDOM = "random"


def random_concept(rows: pd.DataFrame, seed: int) -> np.ndarray:
    """A standard normal value for each patch (n,), fixed by the seed and the patch's address alone.

    A network that improves with this target improves for another reason than the concept. The original drew it
    anew at every access (B-43). `rows` needs the columns `source`, `entry`, `patch_no`, `x` and `y`.
    """
    address = rows[["source", "entry", "patch_no", "x", "y"]].itertuples(index=False, name=None)
    return ndtri(np.array([_uniform(f"{seed}/{index}/{key}") for index, key in enumerate(address)]))


def _uniform(text: str) -> float:
    """A number in (0, 1) from a hash of `text`."""
    return (int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") + 0.5) / 2**48
