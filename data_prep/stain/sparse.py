"""Sparse nonnegative factors of densities: two stains, and as little of them as explains what is seen.

Minimized over matrix (3, 2) >= 0 with columns no longer than 1, and amounts (2, n) >= 0, is the mean over pixels of
½·|density - matrix @ amounts|² + penalty·(sum of amounts), in turns (Mairal et al. 2010, JMLR 11:19-60): amounts in
closed form, since there are two, then each column of the matrix by block coordinate descent.
"""

import numpy as np

ROUNDS = 300
SETTLED = 1e-6
"""Largest change of the matrix in a round that ends the search."""


def sparse_amounts(density: np.ndarray, matrix: np.ndarray, penalty: float) -> np.ndarray:
    """The nonnegative lasso of each column of `density` (3, n) on the two columns of `matrix` (3, 2): (2, n).

    The minimum of a convex quadratic function over a quadrant is where its gradient vanishes, if that lies inside, and
    else on the better of the two edges.
    """
    gram, (first, second) = matrix.T @ matrix, matrix.T @ density - penalty
    determinant = gram[0, 0] * gram[1, 1] - gram[0, 1] ** 2
    inside = np.stack([gram[1, 1] * first - gram[0, 1] * second, gram[0, 0] * second - gram[0, 1] * first])
    inside /= determinant
    edges = np.maximum([first, second], 0) / np.diag(gram)[:, None]
    gains = edges**2 * np.diag(gram)[:, None]
    edges *= np.stack([gains[0] >= gains[1], gains[0] < gains[1]])
    return np.where((inside >= 0).all(axis=0), inside, edges)


def sparse_stains(density: np.ndarray, start: np.ndarray, penalty: float) -> np.ndarray:
    """The matrix (3, 2) of the factors of `density` (3, n) that is found from `start` (3, 2), columns of length 1."""
    matrix = start
    for _ in range(ROUNDS):
        amounts = sparse_amounts(density, matrix, penalty)
        before, matrix = matrix, _improved(matrix, amounts @ amounts.T, density @ amounts.T)
        if np.abs(matrix - before).max() < SETTLED:
            break
    return matrix


def _improved(matrix: np.ndarray, among: np.ndarray, between: np.ndarray) -> np.ndarray:
    """`matrix` after one pass over its columns; `among` (2, 2) = A·Aᵀ, `between` (3, 2) = D·Aᵀ for amounts A."""
    matrix = matrix.copy()
    for column in (0, 1):
        if among[column, column] > 0:
            rest = between[:, column] - matrix @ among[:, column]
            better = np.maximum(matrix[:, column] + rest / among[column, column], 0)
            if (length := np.linalg.norm(better)) > 0:
                matrix[:, column] = better / length
    return matrix
