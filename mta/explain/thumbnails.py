"""Many patches as one small picture."""

from base64 import b64encode
from typing import Any

import cv2
import numpy as np

SIDE, COLUMNS = 64, 40
_QUALITY = 72


def sheet(patches: Any, rows: np.ndarray) -> str:
    """The `rows` (n,) of an open store as thumbnails of 64 pixels, 40 in a line, in one JPEG as a data URI.

    Patches are shown as they are stored, and read in blocks.
    """
    lines = -(-len(rows) // COLUMNS)
    picture = np.full((lines * SIDE, COLUMNS * SIDE, 3), 255, np.uint8)
    for start in range(0, len(rows), patches.block):
        for number, patch in enumerate(patches.take(rows[start : start + patches.block]), start):
            y, x = SIDE * (number // COLUMNS), SIDE * (number % COLUMNS)
            picture[y : y + SIDE, x : x + SIDE] = cv2.resize(patch, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}"
