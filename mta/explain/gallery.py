"""Maps drawn over patches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from mta.evaluation.style import GRAY, INK, new_figure, save

_COLORS = colormaps["viridis"]  # even steps of lightness, also for the color-blind
_CELL = 1.35
"""Inches along a patch."""


@dataclass(frozen=True)
class Row:
    """A line of the gallery: `image` (h, w, 3) uint8, what to say of it, its maps (h, w), and `mask` (h, w) or None."""

    image: np.ndarray
    caption: str
    maps: tuple[np.ndarray, ...]
    mask: np.ndarray | None


def draw_gallery(rows: list[Row], titles: list[str], note: str, path: Path) -> None:
    """Write a PNG: a line a patch, with the patch, then each map in color over it, nuclei outlined.

    `titles`: of the maps. `note`: what the colors mean, below. Every map spans its own colors, from 0 to its maximum.
    """
    wide = 1 + len(titles)
    figure = new_figure(_CELL * wide + 1.6, (_CELL + 0.06) * len(rows) + 0.75)
    axes = figure.subplots(len(rows), wide, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        _show(line[0], row.image, row.mask)
        line[0].set_ylabel(row.caption, rotation=0, ha="right", va="center", fontsize=7, color=INK)
        for cell, values in zip(line[1:], row.maps, strict=True):
            _show(cell, overlaid(row.image, values), row.mask)
    for cell, title in zip(axes[0], ["patch", *titles], strict=True):
        cell.set_title(title, fontsize=7.5, color=INK)
    figure.supxlabel(note, fontsize=7, color=GRAY)
    save(figure, path)


def overlaid(image: np.ndarray, values: np.ndarray, highest: float | None = None) -> np.ndarray:
    """`values` (h, w) >= 0 in color over `image` (h, w, 3) uint8 in pale gray, as (h, w, 3) in [0, 1].

    `highest`: the value of the brightest color; default that of the map.
    """
    highest = float(values.max()) if highest is None else highest
    share = np.minimum(values / highest, 1) if highest > 0 else values
    gray = np.repeat(0.35 + 0.65 * image.mean(axis=2, keepdims=True) / 255, 3, axis=2)
    return np.asarray(0.3 * gray + 0.7 * _COLORS(share)[..., :3] * (0.55 + 0.45 * gray))


def _show(axes: Axes, image: np.ndarray, mask: np.ndarray | None) -> None:
    axes.imshow(image, interpolation="nearest")
    if mask is not None and mask.any() and not mask.all():
        axes.contour(mask, [0.5], colors="white", linewidths=0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
