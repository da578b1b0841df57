"""The pictures of `python -m mta.explain parts`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes

from mta.evaluation.style import COLORS, GRAY, INK, dress, new_figure, save
from mta.explain.gallery import overlaid
from mta.explain.mapping import enlarged

_CELL = 1.2
_PAIRS = [colormaps["tab20"](number)[:3] for number in range(20)]
_PART_COLORS = np.array([*_PAIRS[::2], *_PAIRS[1::2]])  # neighbours as different as can be
_DIM = 0.25


def draw_exemplars(captions: Sequence[str], images: np.ndarray, weights: np.ndarray, path: Path) -> None:
    """Write a line a part: the patches with most of it, pale where they have less than half of its maximum.

    `images` (K, m, h, w, 3) uint8, `weights` (K, m, h', w') of that part in them.
    """
    count, wide = images.shape[:2]
    figure = new_figure(_CELL * wide + 1.8, (_CELL + 0.05) * count + 0.4)
    axes = figure.subplots(count, wide, squeeze=False)
    for line, caption, patches, maps in zip(axes, captions, images, weights, strict=True):
        large = enlarged(maps, patches.shape[1:3])
        for cell, patch, values in zip(line, patches, large, strict=True):
            _picture(cell, spotlit(patch, values >= maps.max() / 2))
        _beside(line[0], caption)
    figure.supxlabel(
        "patches with most of each part, at most one a slide; pale: less than half its maximum", fontsize=7
    )
    save(figure, path)


def spotlit(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """`image` (h, w, 3) uint8 as it is where `inside` (h, w), and pale elsewhere."""
    pale = 255 - _DIM * (255.0 - image)
    return np.where(inside[..., None], image, pale).astype(np.uint8)


def draw_part_maps(captions: Sequence[str], images: np.ndarray, weights: np.ndarray, path: Path) -> None:
    """Write a line a patch: the patch, the part with most weight at each place, then each part in color.

    `images` (m, h, w, 3) uint8, `weights` (m, h', w', K). A part has the same colors in all patches.
    """
    count, parts = len(images), weights.shape[-1]
    figure = new_figure(_CELL * (parts + 2) + 0.9, (_CELL + 0.05) * count + 0.5)
    axes = figure.subplots(count, parts + 2, squeeze=False)
    highest = weights.max(axis=(0, 1, 2))
    for line, caption, image, maps in zip(axes, captions, images, weights, strict=True):
        _picture(line[0], image)
        _beside(line[0], caption)
        large = enlarged(np.moveaxis(maps, -1, 0), image.shape[:2])
        _picture(line[1], _segmented(image, large))
        for k, cell in enumerate(line[2:]):
            _picture(cell, overlaid(image, large[k], float(highest[k])))
    for cell, title in zip(axes[0], ["patch", "most", *(f"part {k + 1}" for k in range(parts))], strict=True):
        cell.set_title(title, fontsize=7.5, color=_color(title, INK))
    figure.supxlabel("a part has the same colors in all patches; most: the part with the most weight", fontsize=7)
    save(figure, path)


def _color(title: str, otherwise: str) -> object:
    name, _, number = title.partition(" ")
    return tuple(_PART_COLORS[(int(number) - 1) % 20]) if name == "part" else otherwise


def _segmented(image: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The color of the part (K, h, w) with the most weight, over `image` in gray."""
    colors = _PART_COLORS[maps.argmax(axis=0) % 20]
    gray = image.mean(axis=2, keepdims=True) / 255
    return np.asarray(np.where(maps.max(axis=0)[..., None] > 0, 0.65 * colors + 0.35 * gray, gray))


def draw_stability(selection: pd.DataFrame, path: Path) -> None:
    """Write error and stability by number of parts; `selection` as from `selection_table`."""
    figure = new_figure(7.2, 2.9)
    left, right = figure.subplots(1, 2)
    dress(left, "Reconstruction error").plot(selection["parts"], selection["error"], "o-", color=COLORS[0])
    dress(right, "Agreement of random starts").plot(
        selection["parts"], selection["stability"], "o-", color=COLORS[0], label="mean of the parts"
    )
    right.plot(selection["parts"], selection["weakest"], "o:", color=COLORS[3], label="weakest part")
    right.plot(selection["parts"], selection["chance"], ":", color=GRAY, label="activation vectors at random")
    chosen = selection.loc[selection["chosen"], "parts"].iloc[0]
    for axes, name in ((left, "||V - WH|| / ||V||, test patches"), (right, "matched cosine")):
        axes.axvline(chosen, color=COLORS[1], linewidth=0.8)
        axes.set_xticks(selection["parts"])
        axes.set_xlabel(f"parts (chosen: {chosen})", fontsize=8)
        axes.set_ylabel(name, fontsize=8)
    left.set_ylim(0, 1.1 * selection["error"].max())
    right.set_ylim(top=1.02)
    right.legend(fontsize=7, frameon=False, loc="lower left")
    save(figure, path)


def _picture(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _beside(axes: Axes, caption: str) -> None:
    axes.set_ylabel(caption, rotation=0, ha="right", va="center", fontsize=7, color=INK)
