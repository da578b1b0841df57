"""Gradient-weighted class activation maps (Selvaraju et al., ICCV 2017)."""

import numpy as np


def grad_cam(activation: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Maps (T, n, h, w) >= 0 of what raises each of T scores.

    `activation` (n, h, w, c) of a layer, `gradients` (T, n, h, w, c) of the scores with respect to it. A channel weighs
    as its mean gradient; the weighted sum is cut off at 0.
    """
    weights = gradients.mean(axis=(2, 3))
    return np.maximum(np.einsum("nhwc,tnc->tnhw", activation, weights), 0)
