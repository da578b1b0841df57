"""The look that all figures share: white ground, thin gray grid, one color a role."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data_prep.files import replacing

INK, GRAY, PALE = "#222222", "#8a8f98", "#e4e6ea"
ROLE_COLORS = {"train": GRAY, "validation": "#d98c1f", "internal_test": "#2868b0", "external_test": "#c23b2e"}
COLORS = ("#2868b0", "#c23b2e", "#3a8f5c", "#d98c1f", "#7a55a8", "#5b6470", "#1f9aa8", "#b0487f")
_DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` x `height` inches on an Agg canvas of its own; pyplot is not involved."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, title: str = "") -> Axes:
    """`axes` with the shared look and its title at the left."""
    axes.set_title(title, loc="left", fontsize=10, color=INK, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRAY)
    axes.tick_params(labelsize=8, color=GRAY, labelcolor=INK)
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def save(figure: Figure, path: str | Path) -> None:
    """Write `figure` as PNG to `path`, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI)


def words(role: str) -> str:
    """A role as a person writes it: "internal test"."""
    return role.replace("_", " ")
