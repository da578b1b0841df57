"""Brighter or darker, of more or less contrast and color, and of another hue."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mta.layers.augmentation import Augmentation

# Luma and the two axes of color of NTSC television: red, green, blue -> Y, I, Q.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


@keras.saving.register_keras_serializable(package="mta")
class ColorJitter(Augmentation):
    """Brightness, contrast, saturation and hue of each image varied, in this order (see `Augmentation`).

    Brightness multiplies every value by 1 ± `brightness`; contrast the distance to the image's mean luma by 1 ±
    `contrast`; saturation the distance of each pixel to its own luma by 1 ± `saturation`; hue turns the colors about
    the gray axis (in YIQ, so that the luma stays) by 0 ± `hue` turns. All are uniform. Together they are one linear map
    of the pixels; what leaves 0 to 255 is cut off once, after the last. The ranges are those of Liu et al. (2017,
    arXiv:1703.02442), but for their contrast (0.75).

    Args:
        brightness: share, from 0 to 1.
        contrast: share, from 0 to 1.
        saturation: share, from 0 to 1.
        hue: share of a whole turn, from 0 to 0.5.
        seed: see `Augmentation`.

    Raises:
        ValueError: for ranges beyond these.
    """

    def __init__(
        self,
        brightness: float = 0.25,
        contrast: float = 0.25,
        saturation: float = 0.25,
        hue: float = 0.04,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.ranges = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
        for name, value in self.ranges.items():
            limit = 0.5 if name == "hue" else 1.0
            if not 0 <= value <= limit:
                raise ValueError(f"{name} must be from 0 to {limit:g}; received {value}")

    def draw(self, count: Any) -> tuple[Any, Any, Any, Any]:
        """Factors of brightness, contrast and saturation, and turns of hue, (count,) each."""
        reach = np.array(list(self.ranges.values()), "float32")
        drawn = reach * keras.random.uniform((count, 4), -1.0, 1.0, seed=self.seed_generator)
        return 1.0 + drawn[:, 0], 1.0 + drawn[:, 1], 1.0 + drawn[:, 2], drawn[:, 3]

    def transform(self, images: Any, *drawn: Any) -> Any:
        """`images` (n, h, w, 3) changed by the (n,) factors and turns of `draw`."""
        brightness, contrast, saturation, hue = (ops.cast(values, "float32") for values in drawn)
        shape = ops.shape(images)
        pixels = ops.reshape(images, (shape[0], -1, 3))
        mean = brightness * ops.matmul(ops.mean(pixels, axis=1), _YIQ[0].astype("float32"))
        mixing = ops.reshape(brightness * contrast, (-1, 1, 1)) * _turned(saturation, hue)
        mixed = ops.matmul(pixels, mixing) + ops.reshape((1.0 - contrast) * mean, (-1, 1, 1))
        return ops.reshape(ops.clip(mixed, 0.0, 255.0), shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), **self.ranges}


def _turned(saturation: Any, hue: Any) -> Any:
    """The matrices (n, 3, 3) that saturate and turn pixels, which are rows; gray stays as it is."""
    into, back = _YIQ.T.astype("float32"), np.linalg.inv(_YIQ).T.astype("float32")
    cosine, sine = saturation * ops.cos(2 * np.pi * hue), saturation * ops.sin(2 * np.pi * hue)
    one, zero = ops.ones_like(hue), ops.zeros_like(hue)
    entries = [one, zero, zero, zero, cosine, sine, zero, -sine, cosine]
    return ops.matmul(ops.matmul(into, ops.reshape(ops.stack(entries, axis=1), (-1, 3, 3))), back)
