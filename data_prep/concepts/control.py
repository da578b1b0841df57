"""The control concept: a target that carries no information."""

import hashlib

import numpy as np
import pandas as pd
from scipy.special import ndtri

RANDOM = "random"
ADDRESS = ["source", "entry", "patch_no", "slide", "x", "y"]


def random_concept(rows: pd.DataFrame, seed: int) -> np.ndarray:
    """A standard normal value for each patch (n,), fixed by the seed and the patch's address alone.

    A network that improves with this target improves for another reason than the concept. The original drew it
    anew at every access (B-43). `rows` needs the columns of `ADDRESS`; patches that share an address are told apart
    by which of them comes first.
    """
    addresses = rows[ADDRESS].assign(occurrence=rows.groupby(ADDRESS).cumcount()).itertuples(index=False, name=None)
    return ndtri(np.array([_uniform(f"{seed}/{address}") for address in addresses]))


def _uniform(text: str) -> float:
    """A number in (0, 1) from a hash of `text`."""
    return (int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") + 0.5) / 2**48
