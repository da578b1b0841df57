"""Pixels as data URIs."""

from base64 import b64encode

import cv2
import numpy as np

_QUALITY = 88


def jpeg(image: np.ndarray, quality: int = _QUALITY) -> str:
    """`image` (h, w, 3) uint8 RGB as a JPEG."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return f"data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}"


def strip(thumbnails: np.ndarray) -> str:
    """Pictures (n, s, s, 3) uint8 RGB side by side, as one JPEG."""
    framed = np.pad(thumbnails, ((0, 0), (0, 0), (0, 4), (0, 0)), constant_values=255)
    return jpeg(np.concatenate(list(framed), axis=1)[:, :-4])
