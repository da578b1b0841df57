"""Each image in a random one of the eight views of a square."""

from typing import Any

import keras
from keras import ops

from mta.layers.augmentation import Augmentation

# view -> (mirror along the diagonal, rows upside down, columns right to left), done in this order
_STEPS = [(0, 0, 0), (1, 1, 0), (0, 1, 1), (1, 0, 1), (0, 0, 1), (1, 1, 1), (0, 1, 0), (1, 0, 0)]


@keras.saving.register_keras_serializable(package="mta")
class RandomDihedral(Augmentation):
    """Each image flipped and turned by right angles at random, all eight views equally often (see `Augmentation`).

    A slide has no up and no left. Pixels are moved, never changed. `layer(images, views, training=True)` shows the
    given `views` (n,), from 0 to 7, in place of drawing them.

    Raises:
        ValueError: when images are not square.
    """

    def build(self, images_shape: tuple[int | None, ...], views_shape: tuple[int | None, ...] | None = None) -> None:
        """Look at the shape (n, side, side, channels)."""
        if images_shape[1] != images_shape[2]:
            raise ValueError(f"images must be square to be turned; received {images_shape[1]} x {images_shape[2]}")

    def call(self, images: Any, views: Any = None, *, training: bool | None = None) -> Any:
        """`images` in float32, turned in training."""
        if views is None or not training:
            return super().call(images, training=training)
        return self.transform(ops.cast(images, "float32"), views)

    def compute_output_shape(
        self, images_shape: tuple[int | None, ...], views_shape: tuple[int | None, ...] | None = None
    ) -> tuple[int | None, ...]:
        """The shape of the images."""
        return images_shape

    def draw(self, count: Any) -> tuple[Any]:
        """Views (count,) from 0 to 7, as `mta.data.views.dihedral` numbers them."""
        return (keras.random.randint((count,), 0, 8, seed=self.seed_generator),)

    def transform(self, images: Any, *drawn: Any) -> Any:
        """`images` (n, side, side, channels) in the views (n,)."""
        shape = ops.shape(images)
        count, side = shape[0], shape[1]
        steps = ops.take(ops.convert_to_tensor(_STEPS, "int32"), drawn[0], axis=0)
        diagonal, rows, columns = (ops.reshape(steps[:, k], (-1, 1, 1)) for k in range(3))
        ahead = ops.arange(side, dtype="int32")
        # Where each pixel comes from, the last step undone first. A gather costs a fifth of three selections.
        row, column = ops.reshape(ahead, (1, -1, 1)), ops.reshape(ahead, (1, 1, -1))
        row, column = row + rows * (side - 1 - 2 * row), column + columns * (side - 1 - 2 * column)
        row, column = row + diagonal * (column - row), column + diagonal * (row - column)
        first = ops.reshape(ops.arange(count, dtype="int32") * side * side, (-1, 1, 1))
        pixels = ops.reshape(images, (-1, shape[3]))
        return ops.reshape(ops.take(pixels, first + row * side + column, axis=0), shape)
