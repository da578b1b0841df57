"""Attribution maps of a run: every method, every head, at the size of the patches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import cv2
import keras
import numpy as np

from data_prep.errors import InputError
from mta.explain.attribution import Heads, grad_cam, integrated_gradients, readable, smoothgrad
from mta.explain.attribution.heads import head_names
from mta.explain.cutting import crossing_of, cut_at
from mta.explain.layers import layer_output
from mta.explain.perturbing import GLASS

Method = Literal["gradcam", "integrated-gradients", "smoothgrad", "smoothgrad-squared"]
METHODS: tuple[Method, ...] = ("gradcam", "integrated-gradients", "smoothgrad", "smoothgrad-squared")
_POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D)


@dataclass(frozen=True)
class MapSettings:
    """How maps are made.

    Attributes:
        methods: of `METHODS`.
        steps: points on the path of integrated gradients, from an image of white, which is glass.
        samples: noisy copies for SmoothGrad.
        sigma: their noise, as a share of the range of pixels.
        seed: of the noise.
    """

    methods: tuple[Method, ...] = METHODS
    steps: int = 50
    samples: int = 25
    sigma: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 2 or self.samples < 1 or not 0 <= self.sigma <= 1:
            raise InputError("give --steps of 2 or more, --samples of 1 or more, and --sigma from 0 to 1")


class Mapper:
    """Maps of the heads of one model.

    Args:
        model: of a run; functional, dict outputs, on images.
        heads: names wanted, none for all.
        layer: for Grad-CAM; "" for the last map before pooling.

    Raises:
        InputError: for a head or layer that is not there, a layer without spatial extent, a model on embeddings.
    """

    def __init__(self, model: Any, heads: Sequence[str], layer: str) -> None:
        if len(model.input.shape) != 4:
            raise InputError("the run is on embeddings, which have no places to map; explain a run on images")
        self.heads = head_names(model, heads)
        self.layer = layer or last_map(model)
        require_map(model, self.layer)
        self._cut = cut_at(model, self.layer)
        self.whole = Heads(readable(model), self.heads)
        self._upper = Heads(readable(self._cut.upper), self.heads)

    def maps(self, images: np.ndarray, settings: MapSettings) -> dict[str, np.ndarray]:
        """Method -> maps (T, n, h, w) float32 >= 0 for `images` (n, h, w, 3) as the network is fed them.

        Grad-CAM: what raises the score, enlarged bilinearly. Integrated gradients: summed over channels, the positive
        part. SmoothGrad: absolute values summed over channels, squared: squares.
        """
        classes = self.whole.likeliest_centre([images])
        gradient = partial(self._gradient, classes)
        made: dict[str, np.ndarray] = {}
        if "gradcam" in settings.methods:
            made["gradcam"] = enlarged(self.coarse(images, classes), images.shape[1:3])
        if "integrated-gradients" in settings.methods:
            found = integrated_gradients(gradient, images, GLASS, settings.steps)
            made["integrated-gradients"] = np.maximum(found.sum(axis=-1), 0)
        if {"smoothgrad", "smoothgrad-squared"} & set(settings.methods):
            mean, square = smoothgrad(gradient, images, 255 * settings.sigma, settings.samples, settings.seed)
            made |= {"smoothgrad": np.abs(mean).sum(axis=-1), "smoothgrad-squared": square.sum(axis=-1)}
        return {name: made[name] for name in settings.methods}

    def coarse(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Grad-CAM (T, n, h', w') at the size of the layer, for the centres `classes` (n,)."""
        crossing = [np.asarray(tensor) for tensor in crossing_of(self._cut, images)]
        return grad_cam(crossing[0].astype(np.float32), self._upper.gradients(crossing, classes))

    def _gradient(self, classes: np.ndarray, images: np.ndarray) -> np.ndarray:
        return self.whole.gradients([images], classes)


def last_map(model: Any) -> str:
    """The name of the layer that makes the last map of the trunk, pooling left out.

    Raises:
        InputError: when no layer of the model has a map.
    """
    maps = [layer for layer in model.layers if _is_map(layer.output) and not isinstance(layer, _POOLING)]
    if not maps:
        raise InputError("no layer of the model has a map; explain a run on images")

    return str(maps[-1].name)


def require_map(model: Any, layer: str) -> None:
    """Raise InputError when `layer` of `model` is not there, or has no spatial extent."""
    shape = layer_output(model, layer).shape
    if len(shape) != 4 or max(shape[1:3]) < 2:
        raise InputError(
            f"layer {layer!r} has no spatial extent (a patch gives {' x '.join(map(str, shape[1:]))}); the last one "
            f"that has is {last_map(model)}"
        )


def _is_map(output: Any) -> bool:
    return hasattr(output, "shape") and len(output.shape) == 4 and max(output.shape[1:3]) > 1


def enlarged(maps: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """`maps` (…, h', w') brought to `size` (h, w) bilinearly, as float32."""
    flat = maps.reshape(-1, *maps.shape[-2:]).astype(np.float32)
    large = [cv2.resize(one, size[::-1], interpolation=cv2.INTER_LINEAR) for one in flat]
    return np.stack(large).reshape(*maps.shape[:-2], *size)
