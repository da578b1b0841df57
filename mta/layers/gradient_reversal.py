"""Gradient reversal: what makes a branch adversarial to the trunk below it."""

from typing import Any

import keras
from keras import ops


@ops.custom_gradient
def _reverse(x: Any, strength: Any) -> tuple[Any, Any]:
    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        upstream = arguments[0] if upstream is None else upstream
        return -ops.cast(strength, upstream.dtype) * upstream, ops.zeros_like(strength)

    # TensorFlow wants a new tensor from a function with a custom gradient; stop_gradient is an exact copy.
    return ops.stop_gradient(x), gradient


@keras.saving.register_keras_serializable(package="mta")
class GradientReversal(keras.layers.Layer):
    """Identity forward, bit for bit; backward the gradient is multiplied by `-strength`.

    The domain head minimizes its loss while everything below the layer maximizes it
    (Ganin & Lempitsky 2015, "Unsupervised Domain Adaptation by Backpropagation").

    Args:
        strength: factor >= 0 of the reversed gradient; 0 stops it. Kept as a non-trainable scalar weight, so
            that it is saved with the model and can be scheduled: `layer.strength.assign(0.5)`.

    Shapes: any input; the output is the same.

    Raises:
        ValueError: when `strength` is negative or not finite.
    """

    def __init__(self, strength: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= strength < float("inf"):
            raise ValueError(f"strength must be 0 or more and finite; received {strength}")
        self._initial_strength = float(strength)
        self.strength = self.add_weight(
            name="strength",
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(strength),
            trainable=False,
            autocast=False,
        )

    def call(self, inputs: Any) -> Any:
        """`inputs` unchanged, with the reversal attached to their gradient."""
        return _reverse(inputs, ops.convert_to_tensor(self.strength))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; `strength` as given there, not as scheduled since."""
        return {**super().get_config(), "strength": self._initial_strength}
