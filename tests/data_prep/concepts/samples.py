"""Patches and nuclei to measure."""

import cv2
import numpy as np


def tissue(seed=0, size=224):
    """A smooth colored patch, RGB `uint8`."""
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)
    return cv2.convertScaleAbs(cv2.GaussianBlur(noise, (0, 0), 1.5), alpha=2, beta=-100)


def nuclei(seed=0, size=224, count=30):
    """Ellipses that touch, overlap and are cut by the border: labels `uint16` (size, size), not consecutive."""
    random = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.uint16)
    for number in range(1, count + 1):
        centre, axes = random.integers(0, size, 2), random.integers(2, 12, 2)
        cv2.ellipse(labels, centre.tolist(), axes.tolist(), random.uniform(0, 180), 0, 360, 3 * number, -1)
    return labels


def scattered(seed=0, size=40, kinds=5, share=0.4):
    """Labels without any shape: each number in several pieces."""
    random = np.random.default_rng(seed)
    return random.integers(1, kinds + 1, (size, size)) * (random.random((size, size)) < share)
