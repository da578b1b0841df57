"""Patches with nuclei at known places."""

import cv2
import numpy as np

PINK, PURPLE = (230, 170, 200), (90, 60, 140)


def disks(centres, radius, size=96):
    """RGB patch of eosin with round nuclei of `radius` pixels at `centres` (x, y), and their true labels."""
    image, truth = np.full((size, size, 3), PINK, np.uint8), np.zeros((size, size), np.uint8)
    for number, centre in enumerate(centres, start=1):
        cv2.circle(image, centre, radius, PURPLE, -1)
        cv2.circle(truth, centre, radius, number, -1)
    return cv2.GaussianBlur(image, (0, 0), 1), truth.astype(np.int32)


def overlap(labels, truth, number):
    """Intersection over union of the nucleus `number` of `truth` with the label at most of its pixels."""
    own = truth == number
    label = np.bincount(labels[own]).argmax()
    return (own & (labels == label)).sum() / (own | (labels == label)).sum() if label else 0.0
