"""The patches of a run's store, where it is still there and unchanged."""

import cv2
import numpy as np

from data_prep.embeddings import is_embeddings
from data_prep.errors import InputError
from data_prep.store import Patches, open_patches
from mta.provenance import store_fingerprints
from mta.reporting.evidence import Evidence


def open_pixels(run: Evidence) -> Patches | str:
    """The store that `run` was trained on, or in words why its patches cannot be shown."""
    store = run.config.store
    try:
        if is_embeddings(store):
            return "The run was trained on embeddings, which have no pictures."
        if store_fingerprints(store) != run.record.get("inputs", {}).get("store"):
            return f"No patches are shown: {store} is gone, or has changed since training."
        return open_patches(store)
    except (InputError, OSError) as error:
        return f"No patches are shown, because the store cannot be read: {error}"


def thumbnails(patches: Patches, rows: np.ndarray, side: int) -> np.ndarray:
    """The patches `rows` (n,) as (n, side, side, 3) uint8, read in blocks. Raises `InputError` on damage."""
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(patches):
        raise InputError(f"{patches.files[0]}: has no patch {rows.max()}, but {len(patches)} patches")
    small = np.empty((len(rows), side, side, 3), np.uint8)
    for start in range(0, len(rows), patches.block):
        for number, patch in enumerate(patches.take(rows[start : start + patches.block]), start):
            small[number] = cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA)
    return small
