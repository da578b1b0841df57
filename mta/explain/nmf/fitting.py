"""Fitting parts to activation vectors, block by block."""

import warnings

import numpy as np
from sklearn.decomposition import MiniBatchNMF
from sklearn.exceptions import ConvergenceWarning

from data_prep.errors import InputError
from mta.explain.nmf.vectors import Vectors
from mta.explain.nmf.weights import part_weights

_PASSES = 40
_BATCH = 1024
_SETTLED = 1e-3


def fit_parts(vectors: Vectors, count: int, seed: int) -> np.ndarray:
    """`count` parts H (K, C) >= 0 of unit length, whose non-negative mixtures come near `vectors`; heaviest first.

    Mini-batch NMF (Lefevre, Bach & Fevotte, 2011; scikit-learn), from a random start by `seed`, over all vectors in
    passes until the parts stand still. Memory is that of a block.

    Raises:
        InputError: for more parts than vectors.
    """
    if count > len(vectors):
        raise InputError(
            f"{count} parts from {len(vectors)} activation vectors; ask for fewer --counts, or give more patches"
        )
    model = MiniBatchNMF(count, init="random", batch_size=_BATCH, random_state=seed, forget_factor=0.7)
    before = None
    for number in range(_PASSES):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for block in vectors.blocks(seed + number):
                for start in range(0, len(block), _BATCH):
                    model.partial_fit(block[start : start + _BATCH])
        parts = unit_rows(model.components_)
        if before is not None and np.linalg.norm(parts - before) <= _SETTLED * np.linalg.norm(parts):
            break
        before = parts
    return parts[np.argsort(-total_weights(vectors, parts), kind="stable")]


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """`rows` (K, C) of length 1 each; one of zeros stays so."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)


def total_weights(vectors: Vectors, parts: np.ndarray) -> np.ndarray:
    """The sum of the weights of each of `parts` over `vectors` (K,)."""
    return np.sum([part_weights(block, parts).sum(axis=0) for block in vectors.blocks()], axis=0)


def relative_error(vectors: Vectors, parts: np.ndarray) -> float:
    """||V - W H|| / ||V|| over `vectors` for the best weights: 0 when the `parts` say all, 1 when nothing."""
    missing, total = 0.0, 0.0
    for block in vectors.blocks():
        missing += float(((block - part_weights(block, parts) @ parts) ** 2).sum())
        total += float((block.astype(float) ** 2).sum())
    return float(np.sqrt(missing / total)) if total else 0.0
