"""The classical segmenter: no weights, the scale from mpp."""

import cv2
import numpy as np

WORKING_MPP = 0.5
SMALLEST, LARGEST = 10.0, 300.0  # um2


def segment(image: np.ndarray, mpp: float) -> np.ndarray:
    """The nuclei of an H&E `image` (h, w, 3) RGB `uint8` at `mpp` micrometres a pixel, as `int32` labels (h, w)."""
    scale = mpp / WORKING_MPP
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    red = cv2.GaussianBlur(small[..., 0], (0, 0), 1)
    _, mask = cv2.threshold(red, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    distance = cv2.GaussianBlur(cv2.distanceTransform(mask, cv2.DIST_L2, 5), (0, 0), 1)
    peaks = (distance == cv2.dilate(distance, np.ones((7, 7)))) & (mask > 0)
    _, seeds = cv2.connectedComponents(peaks.astype(np.uint8))
    markers = np.where(mask > 0, seeds, seeds.max() + 1).astype(np.int32)
    relief = cv2.normalize(-distance, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    labels = cv2.watershed(cv2.merge([relief] * 3), markers)
    labels[(labels < 0) | (labels > seeds.max())] = 0
    return cv2.resize(labels.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST).astype(np.int32)
