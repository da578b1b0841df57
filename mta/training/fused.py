"""Keras' optimizers and its L2 penalty with few passes over memory, for TensorFlow.

Keras writes an update as a dozen operations, each of which reads and writes arrays as large as the weights. On a CPU
that takes as long as the learning of a few dense layers itself; TensorFlow has the same formulas as one operation each.
"""

from typing import Any

import keras
import tensorflow as tf


class SGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD` with momentum: the same formula, rounded elsewhere."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change `variable`, and its momentum, by its `gradient`."""
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
            momentum=tf.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )


class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`: the same formula, rounded elsewhere."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change `variable`, and its moments, by its `gradient`."""
        _apply_adam(self, gradient, variable, learning_rate)


class AdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`: the same formula, rounded elsewhere."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change `variable`, and its moments, by its `gradient`; the decay has been applied by then."""
        _apply_adam(self, gradient, variable, learning_rate)


def _apply_adam(optimizer: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
    kind, place = variable.dtype, optimizer._get_variable_index(variable)
    step = tf.cast(optimizer.iterations + 1, kind)
    beta_1, beta_2 = (tf.cast(beta, kind) for beta in (optimizer.beta_1, optimizer.beta_2))
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[place].value.handle,
        v=optimizer._velocities[place].value.handle,
        beta1_power=beta_1**step,
        beta2_power=beta_2**step,
        lr=tf.cast(learning_rate, kind),
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.cast(optimizer.epsilon, kind),
        grad=tf.cast(gradient, kind),
    )


class _Penalty(keras.regularizers.L2):
    """`keras.regularizers.L2` in one pass over the weights, and one for its gradient, instead of five."""

    def __call__(self, x: Any) -> Any:
        return 2 * self.l2 * tf.nn.l2_loss(keras.ops.convert_to_tensor(x))


def lighten_penalties(model: Any) -> None:
    """Have the L2 penalties of `model` computed in fewer passes; what is saved of it stays plain Keras."""
    for variable in model.trainable_variables:
        if type(variable.regularizer) is keras.regularizers.L2:
            variable.regularizer = _Penalty(float(variable.regularizer.l2))
