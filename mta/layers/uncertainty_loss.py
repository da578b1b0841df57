"""All task losses in one, weighted by learned uncertainty."""

from typing import Any, Literal

import keras
from keras import ops

from mta.losses import categorical_crossentropy, mean_squared_error, weighted_binary_crossentropy

Kind = Literal["binary", "categorical", "regression"]
Weighting = Literal["original", "kendall", "fixed"]
# kind -> (factor of exp(-s) L, factor of s)
_FACTORS: dict[str, dict[str, tuple[float, float]]] = {
    "original": {"binary": (1.0, 0.5), "categorical": (1.0, 1.0), "regression": (0.5, 0.5)},
    "kendall": {"binary": (1.0, 0.5), "categorical": (1.0, 0.5), "regression": (0.5, 0.5)},
}


@keras.saving.register_keras_serializable(package="mta")
class UncertaintyLoss(keras.layers.Layer):
    """The endpoint that turns true and predicted values of all tasks into the training loss.

    With a trainable log-variance s for each task (Kendall, Gal & Cipolla 2018; initially 0)::

        binary       exp(-s) BCE  + s / 2
        categorical  exp(-s) CE   + s        ("original", as released)  or + s / 2 ("kendall")
        regression   exp(-s) MSE / 2 + s / 2

    The sum can be negative once a task is learned well; judge a run by its task losses. The layer adds the sum
    with `add_loss`, which is divided over replicas correctly. It always computes in float32.

    Args:
        tasks: name -> "binary", "categorical" or "regression", in the order of the sum.
        class_weights: (normal, tumor) for binary tasks; None for the original constants.
        weighting: "original", "kendall", or "fixed" (plain sum of the task losses, no log-variances).

    Call: `layer(y_true, y_pred)` with two dicts of (n,), (n, 1) or (n, classes); labels -1, all-zero rows and NaN
    are masked. Returns the scalar loss. `layer.log_vars[name]` are the scalars s.

    Raises:
        ValueError: for no tasks, an unknown kind or weighting.
    """

    def __init__(
        self,
        tasks: dict[str, Kind],
        class_weights: tuple[float, float] | None = None,
        weighting: Weighting = "original",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not tasks or set(tasks.values()) - set(_FACTORS["original"]):
            raise ValueError(f"tasks must map names to binary, categorical or regression; received {tasks}")
        if weighting != "fixed" and weighting not in _FACTORS:
            raise ValueError(f"weighting must be original, kendall or fixed; received {weighting!r}")
        self.tasks = dict(tasks)
        self.class_weights = None if class_weights is None else (class_weights[0], class_weights[1])
        self.weighting = weighting
        self.log_vars = {} if weighting == "fixed" else {name: self._log_var(name) for name in tasks}

    def _log_var(self, name: str) -> Any:
        return self.add_weight(name=f"log_var_{name}", shape=(), initializer="zeros", autocast=False)

    def task_loss(self, name: str, y_true: Any, y_pred: Any) -> Any:
        """The unweighted loss of one task: a scalar, the masked mean over the samples."""
        kind = self.tasks[name]
        if kind == "binary":
            return weighted_binary_crossentropy(y_true, y_pred, self.class_weights)
        return (categorical_crossentropy if kind == "categorical" else mean_squared_error)(y_true, y_pred)

    def weighted(self, name: str, loss: Any) -> Any:
        """The share of `loss` of task `name` in the sum, with its log-variance."""
        if self.weighting == "fixed":
            return loss
        scale, offset = _FACTORS[self.weighting][self.tasks[name]]
        s = ops.convert_to_tensor(self.log_vars[name])
        return scale * ops.exp(-s) * loss + offset * s

    def call(self, y_true: dict[str, Any], y_pred: dict[str, Any]) -> Any:
        """The scalar loss of a batch, also added to the model's losses."""
        shares = [self.weighted(name, self.task_loss(name, y_true[name], y_pred[name])) for name in self.tasks]
        # Not a chain of additions: TensorFlow adds those in the order in which their terms come to be ready.
        total = ops.sum(ops.stack(shares))
        # Replicas share the layer and take turns at the reductions above: drop what another one has just added.
        self._clear_losses()
        self.add_loss(total)
        return total

    def compute_output_shape(self, y_true_shape: dict[str, Any], y_pred_shape: dict[str, Any]) -> tuple[()]:
        """A scalar."""
        return ()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"tasks": dict(self.tasks), "class_weights": self.class_weights, "weighting": self.weighting}
        return {**super().get_config(), **own}
