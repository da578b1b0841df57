"""What layers that vary training images have in common."""

from typing import Any

import keras
from keras import ops


class Augmentation(keras.layers.Layer):
    """A layer that changes each image of a batch by draws of its own, in training alone.

    Subclasses define `draw` and `transform`. Draws come from a `keras.random.SeedGenerator`, whose state is among the
    layer's `variables`: who saves and restores it gets the same draws again.

    Args:
        seed: whole number; None for a seed by chance.

    Call: `layer(images, training=True)` with (n, h, w, 3) RGB from 0 to 255, uint8 or float. Returns float32 of the
    same shape, from 0 to 255, not rounded to whole levels; without `training` the images as they are, in float32.
    Computes in float32 under every dtype policy: bfloat16 has no room for 256 levels and what lies between.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self._seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def draw(self, count: Any) -> tuple[Any, ...]:
        """What `transform` takes after the images, for `count` images: tensors (count, …)."""
        raise NotImplementedError

    def transform(self, images: Any, *drawn: Any) -> Any:
        """`images` (n, h, w, 3) float32 from 0 to 255, each changed as `drawn` says."""
        raise NotImplementedError

    def call(self, images: Any, *, training: bool | None = None) -> Any:
        """`images` in float32, changed in training."""
        images = ops.cast(images, "float32")
        return self.transform(images, *self.draw(ops.shape(images)[0])) if training else images

    def compute_output_shape(self, images_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape."""
        return images_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "seed": self._seed}
