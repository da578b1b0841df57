"""What lies on a synthetic slide: islands of tissue on glass, and tumor regions that an annotator has outlined."""

from dataclasses import dataclass

import cv2
import numpy as np

from data_prep.synthetic.anatomy import Regions, draw_regions
from data_prep.synthetic.noise import fractal

DIFFICULTY = 0.25  # how much normal and tumor tissue look alike
METASTASES = (0.20, 0.13, 0.07)  # radii, as shares of the field
HOLE = 0.35  # radius of the region cut out of the largest one, as a share of that
COARSE = 8  # places are looked for on a grid of this many pixels
EDGE = 1.5  # softness of the edge of tissue and of tumor in µm


@dataclass(frozen=True)
class Outline:
    """A tumor region: `outer` (k, 2) and `hole` (m, 2) or None, vertices x, y in level-0 pixels."""

    outer: np.ndarray
    hole: np.ndarray | None


@dataclass(frozen=True)
class Scene:
    """The square field of a slide that was scanned, all maps (side, side).

    `tissue`: bool. `tumor`: bool, within the outlines and not their holes. `outlines`: of the metastases.
    `regions`: where cells of which kind belong; what is no tissue is gap.
    """

    tissue: np.ndarray
    tumor: np.ndarray
    outlines: tuple[Outline, ...]
    regions: Regions


def draw_scene(rng: np.random.Generator, tumor: bool, side: int, mpp: float) -> Scene:
    """A lymph node with a fragment or two beside it, with metastases where `tumor`. `side` in pixels."""
    height = _islands(rng, side)
    soft = 1 / (1 + np.exp(np.clip(-height * (side * mpp / 2 / EDGE), -30, 30)))
    tissue = height > 0
    outlines = _metastases(rng, tissue) if tumor else ()
    inside = rasterize(outlines, side)
    return Scene(tissue, inside & tissue, outlines, _regions(rng, inside, soft, mpp))


def rasterize(outlines: tuple[Outline, ...], side: int) -> np.ndarray:
    """Pixels whose center lies in an outline and in no hole: bool (side, side)."""
    canvas = np.zeros((side, side), np.uint8)
    for outline in outlines:
        for ring, value in ((outline.outer, 1), (outline.hole, 0)):
            if ring is not None:
                cv2.fillPoly(canvas, [np.round((ring - 0.5) * 16).astype(np.int32)], value, shift=4)
    return canvas > 0


def _islands(rng: np.random.Generator, side: int) -> np.ndarray:
    """Positive where there is tissue, 0 at its edge, in about half-fields: float32 (side, side)."""
    middle = rng.uniform(0.46, 0.54, 2)
    islands = [_ellipse(side, middle, rng.uniform(0.36, 0.44, 2), rng.uniform(0, np.pi))]
    for corner in rng.permutation([(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)])[: rng.integers(1, 3)]:
        islands.append(_ellipse(side, corner, rng.uniform(0.03, 0.06, 2), 0.0))
    return np.maximum.reduce(islands) + np.float32(0.045) * fractal(rng, side, side / 7, 4)


def _ellipse(side: int, middle: np.ndarray, axes: np.ndarray, angle: float) -> np.ndarray:
    """Roughly the distance to an ellipse, positive inside; `middle` and semi-axes as shares of the field."""
    ys, xs = np.mgrid[:side, :side].astype(np.float32) / np.float32(side)
    dx, dy = xs - np.float32(middle[0]), ys - np.float32(middle[1])
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = (dx * cosine + dy * sine) / np.float32(axes[0]), (dy * cosine - dx * sine) / np.float32(axes[1])
    return (1 - np.sqrt(u * u + v * v)) * np.float32(2 * min(axes))


def _metastases(rng: np.random.Generator, tissue: np.ndarray) -> tuple[Outline, ...]:
    """Outlines of different sizes that lie in the tissue and apart from each other; the first one has a hole."""
    side = len(tissue)
    free = tissue[::COARSE, ::COARSE].copy()
    outlines: list[Outline] = []
    for share in METASTASES:
        center, room = _place(rng, free)
        radius = min(share * side, 0.85 * room)
        hole = _blob(rng, center + rng.normal(0, 0.12 * radius, 2), HOLE * radius) if not outlines else None
        outlines.append(Outline(_blob(rng, center, radius), hole))
        y, x = np.mgrid[: len(free), : len(free)] * COARSE
        free &= np.hypot(x - center[0], y - center[1]) > 1.35 * radius
    return tuple(outlines)


def _place(rng: np.random.Generator, free: np.ndarray) -> tuple[np.ndarray, float]:
    """A spot well inside of what is free, and how far it is from the edge, in pixels of the slide."""
    depth = cv2.distanceTransform(np.pad(free, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(depth * rng.uniform(0.75, 1, depth.shape)), depth.shape)
    return np.array([x, y]) * float(COARSE), float(depth[y, x]) * COARSE


def _blob(rng: np.random.Generator, center: np.ndarray, radius: float) -> np.ndarray:
    """A wavy closed outline around `center`, as drawn by hand: vertices (k, 2), to a tenth of a pixel."""
    theta = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    waves = np.arange(2, 8)[:, None]
    size = rng.normal(0, 0.16, (6, 1)) / waves
    radii = radius * (1 + (size * np.cos(waves * theta + rng.uniform(0, 2 * np.pi, (6, 1)))).sum(axis=0))
    return np.round(center + radii[:, None] * np.column_stack([np.cos(theta), np.sin(theta)]), 1)


def _regions(rng: np.random.Generator, tumor: np.ndarray, tissue: np.ndarray, mpp: float) -> Regions:
    """Regions of normal tissue and of tumor from the same noise, each in its place; glass is gap."""
    seed = rng.integers(2**63)
    normal, other = (
        draw_regions(np.random.default_rng(seed), kind, DIFFICULTY, len(tumor), mpp) for kind in (False, True)
    )
    inside = cv2.GaussianBlur(tumor.astype(np.float32), (0, 0), EDGE / mpp)
    nest, stroma = (
        getattr(normal, name) + inside * (getattr(other, name) - getattr(normal, name)) for name in ("nest", "stroma")
    )
    return Regions(nest, stroma, np.maximum(normal.gap, 1 - tissue))
