"""Label maps: whole numbers a pixel, 0 for background, one number a nucleus."""

import cv2
import numpy as np


def renumber(labels: np.ndarray) -> np.ndarray:
    """`labels` (h, w), whole numbers with 0 for background, as `int32` with the numbers 1, 2, … without gaps."""
    if labels.max(initial=0) > labels.size:  # numbers of a whole slide: too far apart for a table
        values, places = np.unique(labels, return_inverse=True)
        labels = places.reshape(labels.shape) + int(values[0] != 0)
    present = np.bincount(labels.ravel()) > 0
    present[:1] = False
    return np.cumsum(present, dtype=np.int32)[labels]


def without_border(labels: np.ndarray) -> np.ndarray:
    """`labels` (h, w) without the nuclei that touch its border, renumbered as `int32`."""
    touching = np.unique(np.concatenate([labels[[0, -1]].ravel(), labels[:, [0, -1]].ravel()]))
    return renumber(np.where(np.isin(labels, touching), 0, labels))


def merge_classes(masks: np.ndarray) -> np.ndarray:
    """PanNuke's masks (h, w, 6) as one label map (h, w) `int32`.

    The first five channels number the nuclei of one class each; a pixel of two classes goes to the first. The sixth
    is background and is not looked at.
    """
    labels = np.zeros(masks.shape[:2], np.int64)
    for channel in np.moveaxis(masks[..., :5].astype(np.int64), -1, 0):
        labels = np.where((labels == 0) & (channel > 0), channel + labels.max(), labels)
    return renumber(labels)


def split_parts(labels: np.ndarray) -> np.ndarray:
    """The 8-connected parts of what is not 0 in `labels` (h, w), numbered from 1, as `int32`."""
    return cv2.connectedComponents((labels > 0).astype(np.uint8), connectivity=8)[1]
