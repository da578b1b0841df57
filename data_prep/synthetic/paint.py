"""Nuclei onto a canvas: smooth outlines, a membrane rim, nucleoli; and the label mask that is true by construction."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data_prep.synthetic.anatomy import MARGIN, Nuclei

RIM = 0.45  # width of the nuclear membrane's shade in µm
STEP = 4  # nuclei are drawn in windows whose half-width is a multiple of this, so that like sizes are drawn together
TOGETHER = 512  # nuclei in one go: a patch has fewer, the windows of a whole slide would fill the memory


@dataclass(frozen=True)
class Canvas:
    """What the nuclei leave on the patch, all (side, side): `density` (OD), `chromatin` contrast and `cover` 0..1 are
    float32, `labels` int32 numbers the nuclei from 1 in the order of their rows.
    """

    density: np.ndarray
    chromatin: np.ndarray
    cover: np.ndarray
    labels: np.ndarray


def paint_nuclei(rng: np.random.Generator, nuclei: Nuclei, side: int, mpp: float) -> Canvas:
    """Draw `nuclei`, later rows over earlier ones."""
    reach = np.ceil((nuclei.axes[:, 0] * 1.3 + 2) / STEP).astype(int) * STEP
    edge = int(reach.max(initial=STEP) + MARGIN / mpp) + 2
    layers = np.zeros((side + 2 * edge, side + 2 * edge, 3), dtype=np.float32)
    labels = np.zeros(layers.shape[:2], dtype=np.int32)
    offset = rng.uniform(-0.55, 0.55, (len(nuclei), 2))
    for half, group in _groups(reach):
        alpha, values = _windows(nuclei, group, offset, half, mpp)
        corners = np.floor(nuclei.center[group]).astype(int) - half + edge
        for number, (left, top), a, value in zip(group + 1, corners, alpha, values, strict=True):
            window = np.s_[top : top + 2 * half + 1, left : left + 2 * half + 1]
            layers[window] += a[..., None] * (value - layers[window])
            labels[window][a >= 0.5] = number
    inner = np.s_[edge : edge + side, edge : edge + side]
    density, chromatin, cover = np.moveaxis(layers[inner], -1, 0)
    return Canvas(density, chromatin, cover, labels[inner])


def number_visible(labels: np.ndarray, nuclei: int) -> tuple[np.ndarray, np.ndarray]:
    """The map `labels` of so many nuclei, numbered from 1 without gaps, and which of them are seen: bool (n,)."""
    visible = np.bincount(labels.ravel(), minlength=nuclei + 1)[1:] > 0
    return np.insert(np.cumsum(visible) * visible, 0, 0)[labels], visible


def _groups(reach: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Half-widths of windows, and the numbers of up to `TOGETHER` nuclei that fit into such."""
    for half in np.unique(reach):
        alike = np.flatnonzero(reach == half)
        for group in np.split(alike, range(TOGETHER, len(alike), TOGETHER)):
            yield int(half), group


def _windows(
    nuclei: Nuclei, group: np.ndarray, offset: np.ndarray, half: int, mpp: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage (k, w, w) and (density, chromatin, 1) (k, w, w, 3) of the nuclei `group`, each in its own window."""
    cosine, sine = (f(nuclei.angle[group])[:, None, None].astype(np.float32) for f in (np.cos, np.sin))
    major, minor = nuclei.axes[group].astype(np.float32).T[:, :, None, None]
    steps = np.arange(-half, half + 1, dtype=np.float32)
    part = (nuclei.center[group] % 1).astype(np.float32)
    x, y = steps[None, None, :] - part[:, 0, None, None], steps[None, :, None] - part[:, 1, None, None]
    u, v = (x * cosine + y * sine) / major, (y * cosine - x * sine) / minor
    depth, radius = _depth(u, v, major, minor, nuclei.wobble[group])
    nucleolus = np.exp(
        -(((u - offset[group, 0, None, None]) * major) ** 2 + ((v - offset[group, 1, None, None]) * minor) ** 2)
        / (2 * (0.75 / mpp) ** 2)
    )
    each = (getattr(nuclei, name)[group][:, None, None] for name in ("density", "rim", "nucleolus", "chromatin"))
    density, rim, spot, chromatin = each
    shade = (
        density * (0.86 + 0.14 * np.minimum(radius, 1)) + rim * np.exp(-((depth * mpp / RIM) ** 2)) + spot * nucleolus
    )
    values = np.stack(np.broadcast_arrays(shade, chromatin, 1.0), axis=-1)
    return np.clip(depth + 0.5, 0, 1), values.astype(np.float32)


def _depth(
    u: np.ndarray, v: np.ndarray, major: np.ndarray, minor: np.ndarray, wobble: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels from the outline, positive inside, to first order; and the elliptical radius.

    The outline is 1 + Re Σ w_m (cos mθ + i sin mθ); the powers of (cos θ + i sin θ) need no trigonometry.
    """
    radius = np.sqrt(u * u + v * v) + np.float32(1e-3)
    direction = (u + 1j * v) / radius
    power, outline = direction, np.ones_like(radius)
    for harmonic in wobble.astype(np.complex64).T:
        power = power * direction
        outline = outline + (harmonic[:, None, None] * power).real
    slope = np.sqrt((u / major) ** 2 + (v / minor) ** 2) / radius
    return (outline - radius) / np.maximum(slope, 1e-6), radius
