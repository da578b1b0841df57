"""Heatmaps as pyramidal OME-TIFF."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from data_prep.files import replacing
from mta.slides.heatmap import pyramid

TILE = 256


def write_heatmap(path: Path, maps: np.ndarray, names: Sequence[str], mpp: float) -> None:
    """Write `maps` (channels, rows, columns) float32 as OME-TIFF: tiles of 256, deflate, halves of halves as SubIFDs.

    `names`: of the channels. `mpp`: micrometres along a pixel. NaN (nothing was predicted) stays NaN, and counts for
    nothing in the levels.
    """
    from tifffile import TiffWriter

    first, *rest = pyramid(maps)
    metadata = {
        "axes": "CYX",
        # Of the content, not by chance: equal heatmaps are equal files.
        "UUID": str(uuid5(NAMESPACE_OID, hashlib.sha256(maps.tobytes()).hexdigest())),
        "Channel": {"Name": list(names)},
        **{f"PhysicalSize{axis}": mpp for axis in "XY"},
        **{f"PhysicalSize{axis}Unit": "µm" for axis in "XY"},
    }
    with replacing(path) as temporary, TiffWriter(temporary, ome=True) as file:
        for level, pixels in enumerate((first, *rest)):
            per_cm = 1e4 / (mpp * 2**level)
            file.write(
                pixels,
                subifds=0 if level else len(rest),
                subfiletype=int(level > 0),
                metadata=None if level else metadata,
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                tile=(TILE, TILE),
                compression="deflate",
                photometric="minisblack",
            )
