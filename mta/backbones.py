"""Trunks: any network of `keras.applications` with its own preprocessing, or a small one for quick runs."""

import inspect
import os
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from data_prep.errors import InputError

SMALL = "SmallCNN"
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def build_trunk(name: str, weights: str | None, image: Any, cut: str | None = None) -> Any:
    """The trunk on `image` (n, size, size, 3), RGB from 0 to 255, preprocessing included.

    Args:
        name: a network in `keras.applications`, or "SmallCNN".
        weights: "imagenet", a weights file of the trunk without its top, or None.
        image: Keras input tensor.
        cut: layer whose output becomes the trunk's; None for the last.

    Returns:
        Functional model from `image` to a feature map (n, h, w, channels).

    Raises:
        InputError: for an unknown network or layer, a layer that gives no map, and weights that are not there or do not
            fit.
    """
    try:
        trunk = _small(image) if name == SMALL else _application(name, image, weights)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"backbone {name} cannot be built for images of {image.shape[1]} pixels ({reason}); "
            "make the store again with a larger --size, or choose another --backbone"
        ) from error
    if weights == "imagenet" and name == SMALL:
        raise InputError("SmallCNN has no ImageNet weights; give --weights none")
    if weights not in (None, "imagenet"):
        _load(trunk, name, weights)
    if cut is not None and cut not in {layer.name for layer in trunk.layers}:
        raise InputError(f"backbone {name} has no layer {cut!r}")
    output = trunk.output if cut is None else trunk.get_layer(cut).output
    if len(output.shape) != 4:
        raise InputError(f"backbone {name}: layer {cut!r} gives {output.shape}, which is no map; choose another --cut")
    # Made anew because keras.applications wraps a given tensor in a list and then warns of every plain array.
    return keras.Model(image, output, name=trunk.name)


def _small(image: Any) -> Any:
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(image)
    for block, filters in enumerate((16, 32, 64, 96), 1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"block{block}_conv")(x)
        x = layers.GroupNormalization(8, name=f"block{block}_norm")(x)
        x = layers.Activation("relu", name=f"block{block}_relu")(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    return keras.Model(image, x, name="small_cnn")


def available() -> tuple[str, ...]:
    """Names that `build_trunk` takes."""
    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return (SMALL, *(name for name, _ in found))


def _application(name: str, image: Any, weights: str | None) -> Any:
    if name not in available():
        raise InputError(f"there is no backbone {name!r}; choose one of {', '.join(available())}")
    constructor = getattr(keras.applications, name)
    preprocessed = _preprocess(vars(inspect.getmodule(constructor))["preprocess_input"], image)
    # Keras loads its own files: it adds a layer to EfficientNetB0 to B7 for them.
    chosen = "imagenet" if weights == "imagenet" else None
    try:
        with warnings.catch_warnings():
            # MobileNet, whose files differ by the size of the images, takes that of 224 pixels for sizes without one.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square", UserWarning)
            return constructor(
                include_top=False, weights=chosen, input_tensor=preprocessed, input_shape=image.shape[1:]
            )
    except ValueError:
        raise
    except Exception as error:  # keras raises a bare Exception when a download fails
        raise InputError(
            f"the ImageNet weights of {name} could not be downloaded ({str(error).splitlines()[0][:200]}); "
            f"put the file into {os.environ.get('KERAS_HOME', '~/.keras')}/models or give --weights FILE (see "
            "docs/data.md), or --weights none to start from noise"
        ) from error


def _preprocess(function: Any, image: Any) -> Any:
    """`function` as stock layers.

    Each of these functions is affine in a channel, after an optional RGB to BGR swap. Four probe pixels
    determine which, so that the saved model needs no code of ours.
    """
    probes = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], "float32")
    values = function(probes[None].copy())[0]
    offset, slopes = values[0], (values[1:] - values[0]) / 255
    swapped = abs(slopes[0, 2]) > abs(slopes[0, 0])
    scale = slopes[::-1].diagonal() if swapped else slopes.diagonal()
    x = ops.flip(image, axis=-1) if swapped else image
    if np.allclose(scale, 1) and np.allclose(offset, 0):
        return x
    return layers.Rescaling(scale.tolist(), offset=offset.tolist(), name="preprocessing")(x)


def _load(trunk: Any, name: str, weights: str) -> None:
    if not Path(weights).is_file():
        raise InputError(f"{weights}: there is no such weights file")
    try:
        with warnings.catch_warnings():
            # A file of another layout also raises below, with the names of the layers.
            warnings.filterwarnings("ignore", "Skipping nested container", UserWarning)
            trunk.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{weights}: not loadable as weights of {name} without its top: {reason}") from error
    _mend_normalization(trunk)


def _mend_normalization(trunk: Any) -> None:
    """Square the "variance" in ImageNet files of EfficientNetB0 to B7, which is the standard deviation.

    With `weights="imagenet"` Keras divides by its root once more in a layer that it adds; with a file it does not.
    """
    for layer in trunk.layers:
        if isinstance(layer, layers.Normalization) and np.allclose(layer.adapt_variance, _IMAGENET_DEVIATION):
            layer.adapt_variance.assign(ops.square(layer.adapt_variance))
            layer.finalize_state()
