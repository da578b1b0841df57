"""Task losses: masked means over the samples that carry a label, in float32.

Missing labels are -1 (binary), an all-zero row (one-hot) or NaN (regression). They add neither loss nor
gradient, and a batch without any label gives 0. Under several replicas the means divide by the number of
labelled samples over all of them (`mta.replicas`), so that a step equals the step of one replica.
"""

from typing import Any

from keras import ops

from mta.replicas import global_mean

# (normal, tumor): share of tumor and of normal patches in the authors' training set of 147,297.
ORIGINAL_CLASS_WEIGHTS = (23477 / 147297, 123820 / 147297)
_SMALLEST_PROBABILITY = 1e-7


def _flat(values: Any) -> Any:
    return ops.reshape(ops.cast(values, "float32"), (-1,))


def binary_terms(y_true: Any, logits: Any, class_weights: tuple[float, float] | None = None) -> tuple[Any, Any]:
    """Weighted cross-entropy of each sample and its mask.

    Args:
        y_true: (n,) or (n, 1), 0 normal, 1 tumor, -1 unlabelled.
        logits: like `y_true`.
        class_weights: (normal, tumor), None for the original constants.

    Returns:
        Losses (n,), 0 where unlabelled, and mask (n,) of 0 and 1.
    """
    y_true, logits = _flat(y_true), _flat(logits)
    labelled = ops.logical_and(ops.isfinite(y_true), ops.not_equal(y_true, -1.0))
    y = ops.where(labelled, y_true, 0.0)
    normal, tumor = ORIGINAL_CLASS_WEIGHTS if class_weights is None else class_weights
    # Neither side overflows, and the derivative is sigmoid(z) - y at logit 0 too, where max(z, 0) has a kink.
    entropy = y * ops.softplus(-logits) + (1.0 - y) * ops.softplus(logits)
    weights = normal * (1.0 - y) + tumor * y
    return ops.where(labelled, weights * entropy, 0.0), ops.cast(labelled, "float32")


def categorical_terms(y_true: Any, probabilities: Any) -> tuple[Any, Any]:
    """Cross-entropy of each sample with its mask, written out: renormalize, clip at 1e-7, log.

    `keras.ops.categorical_crossentropy` looks behind a softmax output for its logits in TensorFlow graphs and
    then computes something else where the softmax saturates.

    Args:
        y_true: (n, classes) one-hot; an all-zero row is unlabelled.
        probabilities: (n, classes) softmax outputs.

    Returns:
        Losses (n,) and mask (n,).
    """
    y_true, probabilities = ops.cast(y_true, "float32"), ops.cast(probabilities, "float32")
    labelled = ops.any(ops.greater(y_true, 0.0), axis=-1)
    shares = probabilities / ops.sum(probabilities, axis=-1, keepdims=True)
    shares = ops.clip(shares, _SMALLEST_PROBABILITY, 1.0 - _SMALLEST_PROBABILITY)
    losses = -ops.sum(y_true * ops.log(shares), axis=-1)
    return ops.where(labelled, losses, 0.0), ops.cast(labelled, "float32")


def regression_terms(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Squared error of each sample with its mask.

    Args:
        y_true: (n,) or (n, 1); NaN is absent.
        y_pred: like `y_true`.

    Returns:
        Losses (n,) and mask (n,).
    """
    y_true, y_pred = _flat(y_true), _flat(y_pred)
    known = ops.isfinite(y_true)
    # The inner `where` keeps NaN out of the gradient as well as out of the value.
    return ops.where(known, ops.square(y_pred - ops.where(known, y_true, 0.0)), 0.0), ops.cast(known, "float32")


def weighted_binary_crossentropy(y_true: Any, logits: Any, class_weights: tuple[float, float] | None = None) -> Any:
    """Mean class-weighted cross-entropy over labelled samples; 0 when there is none.

    Args:
        y_true: (n,) or (n, 1), 0 normal, 1 tumor, -1 unlabelled.
        logits: like `y_true`.
        class_weights: (normal, tumor), None for the original constants (0.1594, 0.8406).

    Returns:
        Scalar float32.
    """
    return global_mean(*binary_terms(y_true, logits, class_weights))


def categorical_crossentropy(y_true: Any, probabilities: Any) -> Any:
    """Mean cross-entropy over the samples whose one-hot row is not all zero; see `categorical_terms`."""
    return global_mean(*categorical_terms(y_true, probabilities))


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean squared error over the samples whose true value is known; see `regression_terms`."""
    return global_mean(*regression_terms(y_true, y_pred))
