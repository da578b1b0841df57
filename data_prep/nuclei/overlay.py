"""Contours on patches, to be looked at."""

import cv2
import numpy as np

INK = (0, 255, 0)
LINE = 2
GAP = 4
WIDEST = 2000  # a wider sheet is shown smaller, and thin lines are lost


def draw_contours(image: np.ndarray, labels: np.ndarray, zoom: int = 2) -> np.ndarray:
    """`image` (h, w, 3) RGB `uint8`, `zoom` times as large, with a line around each nucleus of `labels` (h, w)."""
    canvas = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    for number in np.unique(labels[labels > 0]):
        mask = cv2.resize((labels == number).astype(np.uint8), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(canvas, contours, -1, INK, LINE, cv2.LINE_AA)
    return canvas


def contact_sheet(images: np.ndarray, labels: np.ndarray, columns: int = 6, zoom: int = 2) -> np.ndarray:
    """Patches (n, h, w, 3) with their contours, white between and around, as one image.

    A row has `columns` patches, or as many as fit into `WIDEST` pixels.
    """
    columns = max(1, min(columns, WIDEST // (images.shape[2] * zoom + 2 * GAP)))
    drawn = [draw_contours(image, mask, zoom) for image, mask in zip(images, labels, strict=True)]
    framed = [
        cv2.copyMakeBorder(tile, GAP, GAP, GAP, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)) for tile in drawn
    ]
    framed += [np.full_like(framed[0], 255)] * (-len(framed) % columns)
    return cv2.vconcat([cv2.hconcat(framed[start : start + columns]) for start in range(0, len(framed), columns)])
