"""How a laboratory stains and a scanner sees: the part of a patch that tells the centre, not the disease."""

from dataclasses import dataclass, fields, replace
from typing import Self

import cv2
import numpy as np


@dataclass(frozen=True)
class Look:
    """Staining and scanning of a centre, a slide, or a patch.

    `hematoxylin`, `eosin`: optical density (R, G, B) for one unit of the stain. `white`: (R, G, B) of the empty slide,
    0..255. `blur`: deviation of the point spread in µm. `noise`: deviation of the sensor noise in gray levels.
    """

    hematoxylin: np.ndarray
    eosin: np.ndarray
    white: np.ndarray
    blur: float
    noise: float

    @classmethod
    def of(cls, hematoxylin: tuple, eosin: tuple, white: tuple, blur: float, noise: float) -> Self:
        """A look from plain numbers."""
        return cls(np.array(hematoxylin), np.array(eosin), np.array(white, dtype=np.float64), blur, noise)

    def mixed(self, other: "Look", share: float) -> "Look":
        """The look on the way to `other`: itself at share 0, `other` at 1; beyond, it is extrapolated."""
        names = [field.name for field in fields(self)]
        mixed = {name: (1 - share) * getattr(self, name) + share * getattr(other, name) for name in names}
        return Look(**mixed | {"white": np.minimum(mixed["white"], 255), "eosin": np.maximum(mixed["eosin"], 0)})


# Centres 0 and 2, where tumor is rare in training when there is a shortcut, are bluer; 1 and 3 are redder.
CENTRE_LOOKS = (
    Look.of((0.70, 0.72, 0.33), (0.20, 0.62, 0.26), (244, 242, 244), 0.26, 2.2),
    Look.of((0.56, 0.80, 0.44), (0.20, 0.74, 0.42), (240, 233, 237), 0.34, 1.6),
    Look.of((0.76, 0.92, 0.24), (0.20, 0.80, 0.12), (243, 241, 248), 0.36, 1.8),
    Look.of((0.56, 0.80, 0.47), (0.08, 0.66, 0.44), (249, 241, 234), 0.30, 2.6),
)
# The external centre has used two protocols: one looks like the centres with little tumor, one like those with much.
EXTERNAL_LOOKS = (
    Look.of((0.72, 0.76, 0.24), (0.16, 0.66, 0.14), (243, 243, 250), 0.42, 2.0),
    Look.of((0.54, 0.78, 0.43), (0.12, 0.68, 0.42), (250, 240, 238), 0.42, 2.0),
)
EXTERNAL_SPREAD = 0.35
"""Its patients lie up to this share of the way beyond one protocol or the other, whatever the class of their patches:
there color misleads whoever relies on it.
"""


def vary(rng: np.random.Generator, look: Look, amount: float) -> Look:
    """`look` with log-normal deviations of `amount` in how much stain is taken up, and a third of it in its hue."""
    hematoxylin, eosin = (
        stain * np.exp(rng.normal(0, amount) + rng.normal(0, amount / 3, 3)) for stain in (look.hematoxylin, look.eosin)
    )
    white = np.minimum(look.white + rng.normal(0, 20 * amount, 3), 255)
    return replace(
        look, hematoxylin=hematoxylin, eosin=eosin, white=white, blur=look.blur * np.exp(rng.normal(0, amount))
    )


def photograph(
    rng: np.random.Generator, hematoxylin: np.ndarray, eosin: np.ndarray, look: Look, mpp: float
) -> np.ndarray:
    """The RGB `uint8` patch (h, w, 3) of stain densities (h, w): I = white·exp(-OD) (Beer-Lambert), blurred, noisy."""
    stains = np.stack([hematoxylin, eosin], axis=-1).astype(np.float32)
    light = cv2.exp(
        cv2.transform(stains, -np.stack([look.hematoxylin, look.eosin], axis=1).astype(np.float32))
    ) * np.float32(look.white)
    sharp = cv2.GaussianBlur(light, (0, 0), look.blur / mpp)
    grain = rng.standard_normal(light.shape, dtype=np.float32)
    return np.clip(sharp + np.float32(look.noise) * grain + 0.5, 0, 255).astype(np.uint8)
