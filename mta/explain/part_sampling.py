"""Activation vectors of many patches, written to disk in mixed order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from data_prep.errors import InputError
from mta.explain.activations import activation_batches
from mta.explain.nmf import Vectors
from mta.explain.opening import Subject

_CHUNK = 1024
"""Patches whose vectors are mixed with each other."""


def sample_vectors(
    subject: Subject, layer: str, rows: np.ndarray, each: int, folder: Path, seed: int, quiet: bool
) -> Vectors:
    """At most `each` random positions of `layer` for each of `rows`, as `Vectors` in `folder`.

    Patches are visited at random, so that neighbours on disk come from many slides.

    Raises:
        InputError: for a layer with negative activations, and for activations that are not finite.
    """
    generator = np.random.default_rng(seed)
    vectors: Vectors | None = None
    for _, maps in layer_maps(subject, layer, generator.permutation(rows), quiet):
        flat = maps.reshape(len(maps), -1, maps.shape[-1])
        chosen = generator.random(flat.shape[:2]).argsort(axis=1)[:, :each]
        picked = np.take_along_axis(flat, chosen[..., None], axis=1)
        vectors = vectors or Vectors(folder, maps.shape[-1])
        vectors.add(generator.permutation(picked.reshape(-1, maps.shape[-1])))
    if vectors is None:
        raise InputError(f"{subject.data.name}: no patches to take activations of")
    return vectors


def layer_maps(
    subject: Subject, layer: str, rows: np.ndarray, quiet: bool = True
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, activations (n, h, w, C) >= 0 of `layer`), at most 64 at a time; `InputError` as in `sample_vectors`."""
    for batch, values in activation_batches(subject.trained.model, subject.inputs(), rows, [layer], False, quiet):
        maps = values[layer]
        if maps.min() < 0:
            raise InputError(
                f"{subject.trained.path}: layer {layer!r} has negative activations (down to {maps.min():.3g}); parts "
                f"need a layer after its ReLU, as {', '.join(after_relu(subject.trained.model)) or 'another model has'}"
            )
        yield batch, maps


def after_relu(model: Any) -> list[str]:
    """The last four layers of `model` that are a ReLU on a map."""
    return [layer.name for layer in model.layers if _is_relu(layer)][-4:]


def _is_relu(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    is_relu = isinstance(layer, keras.layers.ReLU) or activation in (keras.activations.relu, keras.activations.relu6)
    return is_relu and len(layer.output.shape) == 4
