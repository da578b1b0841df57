"""How much of each part is in a vector: non-negative least squares."""

import numpy as np

_TOLERANCE = 1e-5
_SWEEPS = 500


def part_weights(vectors: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """W >= 0 (n, K) with the least ||V - W H|| for `vectors` V (n, C) and `parts` H (K, C) of unit length.

    Coordinate descent on the normal equations (Cichocki & Phan, 2009), all vectors at once, until no weight moves by
    more than 1e-5 of the largest. A part without length gets no weight.
    """
    gram = (parts @ parts.T).astype(np.float64)
    projected = (vectors @ parts.T).astype(np.float64)
    weights = np.zeros_like(projected)
    for _ in range(_SWEEPS):
        moved = 0.0
        for k in np.flatnonzero(gram.diagonal() > 0):
            updated = np.maximum(0, weights[:, k] + (projected[:, k] - weights @ gram[:, k]) / gram[k, k])
            moved = max(moved, float(np.abs(updated - weights[:, k]).max(initial=0)))
            weights[:, k] = updated
        if moved <= _TOLERANCE * weights.max(initial=0):
            break
    return weights
