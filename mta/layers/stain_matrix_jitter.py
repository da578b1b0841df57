"""More or less of each stain, as between laboratories."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from data_prep.stain import Macenko
from data_prep.stain.augment import FULL_TISSUE
from mta.layers.augmentation import Augmentation


@keras.saving.register_keras_serializable(package="mta")
class StainMatrixJitter(Augmentation):
    """Amounts of stain scaled by 1 ± sigma and shifted by 0 ± sigma, for each image and stain (see `Augmentation`).

    The mathematics of `data_prep.stain.jitter_stains` (Tellez et al. 2018), but for its last step: values are not
    rounded, so that rounding the output gives what the array function gives. Light beyond white is cut to 255, and
    below black to 0, once, at the end.

    Args:
        matrix: density that a unit of each stain takes from red, green and blue, (3, stains); columns are brought to
            length 1. None for the hematoxylin and eosin that Macenko et al. (2009) published.
        sigma: half-width of the uniform draws, from 0 to below 1 (shifts in OD); 0.05 is light and 0.2 strong.
        seed: see `Augmentation`.

    Raises:
        ValueError: for a matrix of another shape, or one whose stains cannot be told apart, and another sigma.
    """

    def __init__(
        self,
        matrix: Sequence[Sequence[float]] | None = None,
        sigma: float = 0.05,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        if not 0 <= sigma < 1:
            raise ValueError(f"sigma must be from 0 to below 1; received {sigma}")
        self.matrix = np.array(Macenko().target().matrix if matrix is None else matrix, float).tolist()
        self.sigma = float(sigma)
        self._unit = _unit(np.array(self.matrix))

    def draw(self, count: Any) -> tuple[Any, Any]:
        """Scales and shifts (count, stains)."""
        shape, reach = (count, self._unit.shape[1]), self.sigma
        scales = keras.random.uniform(shape, 1 - reach, 1 + reach, seed=self.seed_generator)
        return scales, keras.random.uniform(shape, -reach, reach, seed=self.seed_generator)

    def transform(self, images: Any, *drawn: Any) -> Any:
        """`images` (n, h, w, 3) with their stains scaled and shifted, by (n, stains) each."""
        scales, shifts = (ops.cast(values, "float32") for values in drawn)
        unit, unmix = self._unit.astype("float32"), np.linalg.pinv(self._unit).astype("float32")
        shape = ops.shape(images)
        density = ops.reshape(-ops.log((images + 1.0) / 256.0), (shape[0], -1, 3))
        # Pixels are rows here: the factors of the array function, transposed. Products are cheap, broadcasts are not.
        mixing = np.eye(3, dtype="float32") + ops.matmul(unmix.T * ops.expand_dims(scales - 1.0, 1), unit.T)
        weights = ops.minimum(ops.matmul(density, np.full((3, 1), 1 / (3 * FULL_TISSUE), "float32")), 1.0)
        added = ops.matmul(weights, ops.expand_dims(ops.matmul(shifts, unit.T), 1))
        mixed = ops.maximum(ops.matmul(density, mixing) + added, 0.0)
        return ops.reshape(ops.maximum(256.0 * ops.exp(-mixed) - 1.0, 0.0), shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "matrix": self.matrix, "sigma": self.sigma}


def _unit(matrix: np.ndarray) -> np.ndarray:
    """`matrix` (3, stains) with columns of length 1."""
    if matrix.ndim != 2 or len(matrix) != 3 or not np.isfinite(matrix).all():
        raise ValueError(f"the stain matrix must be finite, of 3 rows and a column for each stain; received {matrix}")
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise ValueError(f"the stains of the matrix must differ; received {matrix.tolist()}")
    return matrix / np.linalg.norm(matrix, axis=0)
