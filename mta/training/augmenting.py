"""The layers that vary training patches, in front of a network while it learns."""

from typing import Any

import keras
import numpy as np

from data_prep.stain.transfer import StainTransfer
from mta.config import TrainConfig
from mta.layers import Augmentation, ColorJitter, HEDJitter, RandomDihedral, StainMatrixJitter

ORDER = ("flips", "stain", "hed", "color")


def augmented(model: Any, config: TrainConfig, normalizer: Any) -> Any:
    """`model` behind the layers that `config.augment` names, in the order of `ORDER`; `model` itself for none.

    With flips there is the input `views` (n,) beside `image`: the reader chooses them, so that they are the same where
    features of all views were computed ahead.

    Args:
        model: from `build_model`; it is shared, and stays as it is.
        config: of the run. Each layer has its own seed, made of the run's.
        normalizer: of the stain of all patches, or None; its reference says which stains they have.
    """
    names = [name for name in ORDER if name in config.augment]
    if not names:
        return model
    inputs = {"image": keras.Input(model.input.shape[1:], name="image")}
    if "flips" in names:
        inputs["views"] = keras.Input((), dtype="int32", name="views")
    x = inputs["image"]
    for name in names:
        layer = _layer(name, config, normalizer)
        x = layer(x, inputs["views"]) if name == "flips" else layer(x)
    return keras.Model(inputs, model(x), name="augmented")


def _layer(name: str, config: TrainConfig, normalizer: Any) -> Augmentation:
    # Layers of one seed would draw the same numbers.
    seed = int(np.random.default_rng((config.seed, ORDER.index(name))).integers(2**31))
    if name == "flips":
        return RandomDihedral(seed)
    if name == "stain":
        return StainMatrixJitter(_stains(normalizer), config.stain_sigma, seed)
    return HEDJitter(config.stain_sigma, seed) if name == "hed" else ColorJitter(*config.color_ranges, seed)


def _stains(normalizer: Any) -> list[list[float]] | None:
    """The stain matrix of normalized patches; None, for the published one, where no reference has one."""
    return normalizer.target().matrix.tolist() if isinstance(normalizer, StainTransfer) else None
