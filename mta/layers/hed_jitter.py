"""More or less hematoxylin, eosin and DAB."""

from typing import Any

import keras

from data_prep.stain import HED
from mta.layers.stain_matrix_jitter import StainMatrixJitter


@keras.saving.register_keras_serializable(package="mta")
class HEDJitter(StainMatrixJitter):
    """`StainMatrixJitter` with the three stains of Ruifrok and Johnston (2001), as `data_prep.stain.jitter_hed`.

    Three stains make up every color, so that what is neither hematoxylin nor eosin is varied too.

    Args:
        sigma: half-width of the uniform draws, from 0 to below 1 (shifts in OD).
        seed: see `Augmentation`.

    Raises:
        ValueError: for another sigma.
    """

    def __init__(self, sigma: float = 0.05, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(HED.tolist(), sigma, seed, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["matrix"]
        return config
