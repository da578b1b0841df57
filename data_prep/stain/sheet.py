"""A picture of patches before and after normalization: one row a centre."""

import cv2
import numpy as np
import pandas as pd

from data_prep.store import Patches

COLUMNS = 6  # patches of a centre, before and again after
SIDE = 96  # pixels of a patch on the sheet, at least
GAP = 4
MARGIN = 110  # for the names of centres
ROOM = 14  # letters in it


def contact_sheet(before: Patches, after: Patches) -> np.ndarray:
    """RGB `uint8` picture: each centre's patches as they were, and to the right the same patches normalized."""
    chosen = spread(before.rows)
    frame = max(SIDE, *before.size) + GAP
    gutter, header = 4 * GAP, 24
    width = MARGIN + 2 * COLUMNS * frame + gutter
    sheet = np.full((header + len(chosen) * frame, width, 3), 255, dtype=np.uint8)
    for half, (title, patches) in enumerate((("before", before), ("after", after))):
        left = MARGIN + half * (COLUMNS * frame + gutter)
        write(sheet, title, left, 16)
        for line, (centre, rows) in enumerate(chosen.items()):
            top = header + line * frame
            name = f"centre {centre or '?'}"
            write(sheet, name if len(name) <= ROOM else centre[:ROOM], 4, top + frame // 2)
            for column, patch in enumerate(patches.take(rows)):
                tile = cv2.resize(patch, (frame - GAP, frame - GAP), interpolation=cv2.INTER_NEAREST)
                x = left + column * frame
                sheet[top : top + frame - GAP, x : x + frame - GAP] = tile
    return sheet


def spread(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Up to `COLUMNS` rows of each centre, evenly spread over those it has."""
    found = {}
    for centre in sorted(set(rows["centre"])):
        of_centre = np.flatnonzero(rows["centre"] == centre)
        found[centre] = of_centre[np.unique(np.linspace(0, len(of_centre) - 1, COLUMNS).astype(int))]
    return found


def write(sheet: np.ndarray, text: str, x: int, y: int) -> None:
    """Write `text` on `sheet`, its lower left corner at (x, y)."""
    plain = text.encode("ascii", "replace").decode()  # all that OpenCV's letters can show
    cv2.putText(sheet, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
