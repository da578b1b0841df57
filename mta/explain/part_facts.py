"""What is known of each part: what it does to the heads, where it lies, what it looks like."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from mta.explain.attribution import Heads
from mta.explain.nmf import part_weights


@dataclass
class PartMeasures:
    """Values of every patch, collected batch by batch.

    Attributes:
        mean: (n, K) mean weight of each part.
        effect: (n, T, K) by how much each head falls when the part is deleted.
        gradcam: (n, T, K) correlation of the part's map with Grad-CAM; NaN where one of them is flat.
        nuclei, tumor: (n, K + 1) share of the part's weight on nuclei, or tumor nuclei; last that of the area.
    """

    mean: list[np.ndarray] = field(default_factory=list)
    effect: list[np.ndarray] = field(default_factory=list)
    gradcam: list[np.ndarray] = field(default_factory=list)
    nuclei: list[np.ndarray] = field(default_factory=list)
    tumor: list[np.ndarray] = field(default_factory=list)


def weight_maps(activation: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Weights (n, h, w, K) of `parts` (K, C) at every position of `activation` (n, h, w, C)."""
    flat = activation.reshape(-1, activation.shape[-1])
    return part_weights(flat, parts).reshape(*activation.shape[:3], len(parts)).astype(np.float32)


def deletion_effects(
    heads: Heads, crossing: list[np.ndarray], weights: np.ndarray, parts: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """(n, T, K): each score minus that without one part: W_k H_k is taken from the activation, which stays >= 0.

    `heads`: of the network above the layer. `crossing`: what it takes, the activation first. `weights` (n, h, w, K).
    """
    before = heads.scores(crossing, classes)
    effects = []
    for k, part in enumerate(parts):
        without = np.maximum(crossing[0] - weights[..., k, None] * part, 0)
        effects.append(before - heads.scores([without, *crossing[1:]], classes))
    return np.stack(effects, axis=-1).transpose(1, 0, 2)


def map_correlations(cams: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlation (n, T, K) over positions of maps `cams` (T, n, h, w) with `weights` (n, h, w, K).

    NaN where either is the same everywhere.
    """
    a = cams.reshape(*cams.shape[:2], -1).transpose(1, 0, 2).astype(float)
    b = weights.reshape(len(weights), -1, weights.shape[-1]).transpose(0, 2, 1).astype(float)
    a, b = (values - values.mean(axis=-1, keepdims=True) for values in (a, b))
    lengths = np.linalg.norm(a, axis=-1)[:, :, None] * np.linalg.norm(b, axis=-1)[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(lengths > 1e-12, np.einsum("ntp,nkp->ntk", a, b) / lengths, np.nan)


def shares_inside(weights: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """(n, K + 1): the share of each part's weight (n, h, w, K) on `masks` (n, H, W) bool, then that of the area.

    A position counts as far as its cell is covered. NaN where there is no weight, or no mask.
    """
    size = weights.shape[1:3]
    cover = np.stack([cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) for mask in masks])
    every = np.concatenate([weights, np.ones_like(weights[..., :1])], axis=-1)
    total = every.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, (every * cover[..., None]).sum(axis=(1, 2)) / total, np.nan)
    share[~masks.reshape(len(masks), -1).any(axis=1)] = np.nan
    return share


def collected(measures: PartMeasures) -> dict[str, Any]:
    """The arrays of `measures` over all patches, by name; those without a value are left out."""
    return {name: np.concatenate(values) for name, values in vars(measures).items() if values}
