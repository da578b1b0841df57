"""Regions of high tumor probability as GeoJSON for QuPath."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from data_prep.annotations import vectorize
from data_prep.files import write_text
from mta.slides.grid import Grid

CLASS = {"name": "Tumor: predicted", "color": [200, 0, 0]}
"""A subclass, so that nobody takes it for what a pathologist drew; our own reader takes it for tumor."""


def write_regions(path: Path, grid: Grid, maps: np.ndarray, names: Sequence[str], threshold: float) -> int:
    """Write the regions of cells whose tumor probability (`maps[0]`) is at least `threshold`; how many there are.

    One annotation for each region of cells that share edges, with its measurements: area, mean and maximum of the
    probability, mean of each other map of `maps` (channels, rows, columns), called `names`. Coordinates are level-0
    pixels from the corner of the scanned area (OpenSlide's bounds), as QuPath counts.
    """
    with np.errstate(invalid="ignore"):
        mask = maps[0] >= threshold
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    regions = [json.dumps(_region(grid, labels, maps, names, number, boxes[number])) for number in range(1, count)]
    write_text(path, '{"type": "FeatureCollection", "features": [\n' + ",\n".join(regions) + "\n]}\n")
    return len(regions)


def _region(
    grid: Grid, labels: np.ndarray, maps: np.ndarray, names: Sequence[str], number: int, box: np.ndarray
) -> dict[str, Any]:
    """Region `number` of `labels` (rows, columns) in its `box` (left, top, width, height, …)."""
    left, top, width, height = box[:4].tolist()
    window = slice(top, top + height), slice(left, left + width)
    inside = labels[window] == number
    measured: dict[str, float | None] = {"Area mm2": round(float(inside.sum()) * (grid.cell_mpp / 1000) ** 2, 6)}
    probability = maps[0][window][inside]
    measured |= {f"Mean {names[0]}": _number(probability.mean()), f"Maximum {names[0]}": _number(probability.max())}
    measured |= {
        f"Mean {name}": _number(values[window][inside].mean()) for name, values in zip(names[1:], maps[1:], strict=True)
    }
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": _rings(grid, inside, left, top)},
        "properties": {
            "objectType": "annotation",
            "name": f"Predicted {number}",
            "classification": CLASS,
            "measurements": measured,
        },
    }


def _rings(grid: Grid, inside: np.ndarray, left: int, top: int) -> list[list[list[int]]]:
    """Outline and holes of the cells `inside` (rows, columns) whose first is (`top`, `left`), closed."""
    x, y = grid.edges
    polygon = vectorize(inside).simplify(0)  # no corners along straight lines
    corners = [np.array(ring.coords).astype(int) for ring in (polygon.exterior, *polygon.interiors)]
    return [
        np.stack([x[ring[:, 0] + left] - grid.corner[0], y[ring[:, 1] + top] - grid.corner[1]], 1).astype(int).tolist()
        for ring in corners
    ]


def _number(value: np.floating) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
