"""The pictures of `python -m mta.explain gradcam`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mta.evaluation.style import COLORS, GRAY, dress, new_figure, save
from mta.explain.gallery import Row, draw_gallery
from mta.explain.map_measuring import Chosen
from mta.explain.mapping import Mapper, MapSettings
from mta.explain.nuclei_masks import nuclei_masks
from mta.explain.opening import Subject
from mta.explain.sampling import rgb_patches

_CLASSES = {0: "normal", 1: "tumor", -1: "unlabelled"}
_WORDS = {"gradcam": "Grad-CAM", "integrated-gradients": "integrated gradients", "smoothgrad": "SmoothGrad"}


def draw_patches(
    subjects: Sequence[Subject], mappers: Sequence[Mapper], chosen: Chosen, settings: MapSettings, path: Path
) -> None:
    """Write the gallery: patch, each head of the first run, and the first head of every other, to `path` (PNG)."""
    method = settings.methods[0]
    only = replace(settings, methods=(method,))
    maps, titles = [], []
    for number, (subject, mapper) in enumerate(zip(subjects, mappers, strict=True)):
        images = subject.inputs().take(chosen.shown)["image"].astype(np.float32)
        heads = mapper.heads if number == 0 else mapper.heads[:1]
        maps += list(mapper.maps(images, only)[method][: len(heads)])
        titles += [f"{subject.name}\n{head}" if len(subjects) > 1 else head for head in heads]
    patches = rgb_patches(subjects[0], chosen.shown)
    masks = nuclei_masks(subjects[0].data, chosen.shown, patches)
    rows = [
        Row(patch, _caption(subjects[0], chosen, line), tuple(one[line] for one in maps), _of(masks, line))
        for line, patch in enumerate(patches)
    ]
    note = (
        f"{_WORDS.get(method, method)}, yellow where it is highest in each picture, dark where it is nothing; white: "
        "nuclei; domain: the centre held likeliest"
    )
    draw_gallery(rows, titles, note, path)


def _caption(subject: Subject, chosen: Chosen, line: int) -> str:
    row = chosen.shown[line]
    probability = 1 / (1 + np.exp(-chosen.logits[line]))
    error = "error: " if line < chosen.errors else ""
    return f"{error}{_CLASSES[int(subject.data.labels[row])]}\np {probability:.2f}\nrow {row}"


def _of(masks: np.ndarray | None, line: int) -> np.ndarray | None:
    return None if masks is None else masks[line]


def draw_curves(curves: pd.DataFrame, path: Path) -> None:
    """Write mean deletion and insertion curves, a column a head and a line a run, to `path` (PNG)."""
    runs, heads, methods = (list(curves[name].unique()) for name in ("run", "head", "method"))
    lines = [(run, curve) for run in runs for curve in curves["curve"].unique()]
    figure = new_figure(2.4 * len(heads) + 1.6, 1.9 * len(lines) + 0.4)
    axes = figure.subplots(len(lines), len(heads), squeeze=False, sharex=True, sharey="col")
    for cells, (run, curve) in zip(axes, lines, strict=True):
        for cell, head in zip(cells, heads, strict=True):
            part = curves[(curves["run"] == run) & (curves["curve"] == curve) & (curves["head"] == head)]
            cell.set_visible(len(part) > 0)
            cell.tick_params(labelbottom=True)
            dress(cell, f"{curve}, {head}")
            _lines(cell, part, methods)
        cells[0].set_ylabel(run, fontsize=8)
    figure.supxlabel("share of the pixels gone (deletion) or there (insertion), in the order of the map", fontsize=8)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=7.5)
    save(figure, path)


def _lines(cell: Axes, part: pd.DataFrame, methods: Sequence[str]) -> None:
    for number, (method, group) in enumerate(part.groupby("method", sort=False)):
        color = COLORS[methods.index(str(method)) % len(COLORS)]
        cell.plot(group["fraction"], group["value"], color=color, linewidth=1.2, label=method)
        if number == 0:
            cell.plot(group["fraction"], group["chance"], color=GRAY, linestyle=(0, (2, 3)), label="random order")
