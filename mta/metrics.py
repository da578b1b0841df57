"""Streaming Keras metrics that leave unlabelled samples out, for progress bars and training curves.

Exact values over a whole set (AUC, R2 with its own mean) come from `mta.evaluation`.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from mta.losses import binary_terms, categorical_terms, regression_terms
from mta.replicas import global_sum


class _MaskedMean(keras.metrics.Metric):
    """Mean over all labelled samples seen since the last reset; 0 when there was none."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", shape=(), initializer="zeros")
        self.count = self.add_weight(name="count", shape=(), initializer="zeros")

    def terms(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Value (n,), 0 where masked, and mask (n,) of a batch."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch. Sample weights are not used: a label is there or it is not."""
        values, mask = self.terms(y_true, y_pred)
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(ops.sum(mask))

    def result(self) -> Any:
        """The mean so far, a scalar."""
        return self.total / ops.maximum(self.count, 1.0)


@keras.saving.register_keras_serializable(package="mta")
class TaskLoss(_MaskedMean):
    """The unweighted loss of one task (see `mta.losses`).

    Args:
        kind: "binary", "categorical" or "regression".
        class_weights: (normal, tumor) of a binary task; None for the original constants.

    Raises:
        ValueError: for another kind.
    """

    def __init__(
        self, kind: str, class_weights: tuple[float, float] | None = None, name: str = "loss", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if kind not in ("binary", "categorical", "regression"):
            raise ValueError(f"kind must be binary, categorical or regression; received {kind!r}")
        self.kind = kind
        self.class_weights = None if class_weights is None else (class_weights[0], class_weights[1])

    def terms(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Loss terms (n,) and mask (n,)."""
        if self.kind == "binary":
            return binary_terms(y_true, y_pred, self.class_weights)
        kinds: dict[str, Callable[[Any, Any], tuple[Any, Any]]]
        kinds = {"categorical": categorical_terms, "regression": regression_terms}
        return kinds[self.kind](y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "kind": self.kind, "class_weights": self.class_weights}


@keras.saving.register_keras_serializable(package="mta")
class LogitAccuracy(_MaskedMean):
    """Share of labelled samples on the right side of logit 0 (probability 0.5); labels -1 are left out."""

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def terms(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Hits (n,) and mask (n,) for labels (n,) or (n, 1) and logits of the same shape."""
        y, logits = ops.reshape(ops.cast(y_true, "float32"), (-1,)), ops.reshape(y_pred, (-1,))
        _, mask = binary_terms(y_true, y_pred)
        return mask * ops.cast(ops.equal(y > 0.5, logits > 0.0), "float32"), mask


@keras.saving.register_keras_serializable(package="mta")
class DomainAccuracy(_MaskedMean):
    """Share of samples whose most probable domain is the true one; all-zero rows are left out.

    Read it beside chance (1 / domains) and the share of the most frequent domain: an adversary at chance has
    lost, one above the majority has not.
    """

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def terms(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Hits (n,) and mask (n,) for one-hot labels and probabilities (n, classes)."""
        mask = ops.cast(ops.any(ops.greater(y_true, 0), axis=-1), "float32")
        hit = ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))
        return mask * ops.cast(hit, "float32"), mask


@keras.saving.register_keras_serializable(package="mta")
class MeanSquaredError(_MaskedMean):
    """Mean squared error over the samples whose true value is not NaN, in the unit of the target squared."""

    def __init__(self, name: str = "mse", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def terms(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Squared errors (n,) and mask (n,)."""
        return regression_terms(y_true, y_pred)


@keras.saving.register_keras_serializable(package="mta")
class R2(keras.metrics.Metric):
    """1 - SS_residual / SS_total over all samples seen whose true value is not NaN; NaN for a constant target."""

    def __init__(self, name: str = "r2", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        names = ("count", "mean", "deviation", "residual")
        self.count, self.mean, self.deviation, self.residual = (
            self.add_weight(name=part, shape=(), initializer="zeros") for part in names
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of (n,) or (n, 1) values; sums of squares are merged about their own mean (Chan et al. 1983)."""
        squared, mask = regression_terms(y_true, y_pred)
        y = ops.where(mask > 0, ops.reshape(ops.cast(y_true, "float32"), (-1,)), 0.0)
        # Every replica keeps the sums of all: what Keras adds up over replicas then cancels in the ratio.
        n = global_sum(ops.sum(mask))
        mean = global_sum(ops.sum(y)) / ops.maximum(n, 1.0)
        deviation = global_sum(ops.sum(mask * ops.square(y - mean)))
        old, total, shift = ops.convert_to_tensor(self.count), self.count + n, mean - self.mean
        share = n / ops.maximum(total, 1.0)
        self.deviation.assign_add(deviation + ops.square(shift) * old * share)
        self.mean.assign_add(shift * share)
        self.count.assign(total)
        self.residual.assign_add(global_sum(ops.sum(squared)))

    def result(self) -> Any:
        """R2 so far, a scalar."""
        known = self.deviation > 0
        return ops.where(known, 1.0 - self.residual / ops.where(known, self.deviation, 1.0), float("nan"))
