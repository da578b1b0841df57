"""A heatmap drawn over the overview of its slide."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from data_prep.extraction.preview import picture_of
from data_prep.slides import Slide
from mta.evaluation.style import INK, PALE, new_figure, save
from mta.slides.grid import Grid
from mta.slides.heatmap import halved

WIDE = 12.0
"""Inches across both panels."""
MOST = 500
"""Cells along the longer side; larger heatmaps are drawn more coarsely."""
_COLORS, _ALPHA = "viridis", 0.65
_OUTLIERS = (1, 99)
"""Percentiles that the colors of a concept span: a few odd patches must not take all of them."""


class Overlay:
    """Draws heatmaps of `grid` over `slide`, which is looked at once for all of them."""

    def __init__(self, slide: Slide, grid: Grid) -> None:
        self._name, self._mpp, self._grid = slide.name, slide.mpp, grid
        self._picture = picture_of(slide, grid.picture)
        rows, columns = (length * grid.ground.scale for length in grid.ground.tissue.shape)
        self._extent = (0.0, columns, rows, 0.0)

    def draw(self, path: Path, values: np.ndarray, label: str, threshold: float | None) -> None:
        """Write a PNG: the slide as it is, and `values` (rows, columns; NaN: nothing) in color over it in gray.

        `label`: of the color bar. `threshold`: of a probability, whose colors span 0 to 1 and whose regions get an
        outline; None for a concept.
        """
        tall = WIDE / 2 * np.clip(self._extent[2] / self._extent[1], 0.2, 2.0)
        figure = new_figure(WIDE + 1.0, tall + 0.6)
        left, right = figure.subplots(1, 2)
        left.imshow(self._picture, extent=self._extent)
        right.imshow(255 - 0.65 * (255 - self._picture.mean(axis=2)), "gray", vmin=0, vmax=255, extent=self._extent)
        shown = self._color(right, values, threshold)
        _dress(left, self._name)
        _dress(right, label if threshold is None else f"{label}; outlined: at least {threshold:g}")
        _scale_bar(left, self._extent[1] * self._mpp)
        _color_bar(figure, right, shown, label, "both" if threshold is None else "neither")
        save(figure, path)

    def _color(self, axes: Axes, values: np.ndarray, threshold: float | None) -> AxesImage:
        low, high = _span(values) if threshold is None else (0.0, 1.0)
        values, x, y = _coarse_enough(self._grid, values)
        place = (x[0], x[-1], y[-1], y[0])
        shown = axes.imshow(values, _COLORS, vmin=low, vmax=high, alpha=_ALPHA, extent=place, interpolation="nearest")
        axes.set(xlim=self._extent[:2], ylim=self._extent[2:])
        if threshold is not None:
            _outline(axes, x, y, values >= threshold)
        return shown


def _coarse_enough(grid: Grid, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`values` (rows, columns) with no more cells than can be seen, and where they begin and end, x and y."""
    maps, step = values[None], grid.stride
    while max(maps.shape[1:]) > MOST:
        maps, step = halved(maps), 2 * step
    x, y = (start + step * np.arange(maps.shape[axis] + 1) for start, axis in zip(grid.corner, (2, 1), strict=True))
    return maps[0], x, y


def _span(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, _OUTLIERS) if len(known) else (0.0, 1.0)
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def _outline(axes: Axes, x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> None:
    """A line along all edges between cells that are `inside` and cells that are not."""
    framed = np.pad(inside, 1)
    row, column = np.nonzero(framed[1:-1, 1:] != framed[1:-1, :-1])
    axes.vlines(x[column], y[row], y[row + 1], color="#c2181b", linewidth=1.2)
    row, column = np.nonzero(framed[1:, 1:-1] != framed[:-1, 1:-1])
    axes.hlines(y[row], x[column], x[column + 1], color="#c2181b", linewidth=1.2)


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK, fontweight="bold")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(PALE)  # glass may be as white as the page


def _color_bar(figure: Figure, axes: Axes, shown: AxesImage, label: str, ends: str) -> None:
    bar = figure.colorbar(shown, cax=axes.inset_axes((1.02, 0, 0.035, 1)), extend=ends)
    bar.set_label(label, fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=8, labelcolor=INK)


def _scale_bar(axes: Axes, wide: float) -> None:
    """A bar of a round length below the slide, `wide` micrometres of which are shown."""
    power = 10 ** np.floor(np.log10(wide / 4))
    length = power * max(step for step in (1, 2, 5) if step * power <= wide / 4)
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    axes.plot([0, length / wide], [-0.02, -0.02], transform=axes.transAxes, color=INK, linewidth=2, clip_on=False)
    axes.text(length / wide + 0.015, -0.02, text, transform=axes.transAxes, fontsize=8, va="center", color=INK)
