"""What a layer makes of patches, in two dimensions, for several runs in one fit."""

import warnings
from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np

from data_prep.errors import InputError

NEIGHBORS, LEAST_DISTANCE = 15, 0.1


def require_umap() -> None:
    """Raise InputError where umap-learn is not installed."""
    if find_spec("umap") is None:
        raise InputError("umap-learn is not installed; pip install -e '.[explain]' (or pip install umap-learn)")


def joint_embedding(
    activations: Mapping[str, np.ndarray], layer: str, neighbors: int, distance: float, seed: int
) -> dict[str, np.ndarray]:
    """UMAP (McInnes et al. 2018) of one layer of several runs: run name -> points (n, 2), all of one fit.

    The activations (n, width) of each run are centred and divided by one number, the root of their mean variance, so
    that no run lies apart for its offset or its scale alone; then all are laid out as one set of points, from the
    first two principal components on.

    Raises:
        InputError: when the layer has not the same width in all runs, there are too few points, or nothing varies.
    """
    widths = {name: values.shape[1] for name, values in activations.items()}
    if len(set(widths.values())) > 1:
        said = ", ".join(f"{width} in {name}" for name, width in widths.items())
        raise InputError(f"layer {layer} has not the same width in all runs ({said}); embed such runs one by one")
    points = np.concatenate([_scaled(values, name, layer) for name, values in activations.items()])
    if len(points) <= neighbors:
        raise InputError(
            f"{len(points)} points are too few for {neighbors} neighbors; give --neighbors a smaller number"
        )
    placed = _fit(points, neighbors, distance, seed)
    return dict(zip(activations, np.split(placed, len(activations)), strict=True))


def _scaled(values: np.ndarray, run: str, layer: str) -> np.ndarray:
    spread = np.sqrt(values.astype(np.float64).var(axis=0).mean())
    if not spread > 0:
        raise InputError(f"{run}: layer {layer} is the same for every patch; there is nothing to lay out")
    return ((values - values.mean(axis=0)) / spread).astype(np.float32)


def _fit(points: np.ndarray, neighbors: int, distance: float, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies, and none is for whoever runs this
        from umap import UMAP

        # One thread, since with more the layout would depend on their order.
        fit = UMAP(n_neighbors=neighbors, min_dist=distance, init="pca", random_state=seed, n_jobs=1)
        return np.asarray(fit.fit_transform(points), np.float64)
