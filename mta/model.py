"""The multi-task adversarial network, and the training model wrapped around it."""

from typing import Any

import keras
from keras import layers, regularizers

from data_prep.errors import InputError
from mta.backbones import build_trunk
from mta.layers import GradientReversal, UncertaintyLoss
from mta.layers.uncertainty_loss import Kind, Weighting
from mta.spec import ModelSpec
from mta.trainable import set_trainable

STANDARDIZATION = "standardization"

__all__ = ["ModelSpec", "build_model", "build_training_model", "single_head", "tasks_of"]


def build_model(spec: ModelSpec) -> Any:
    """The inference network of `spec`: a functional Keras model with dict outputs.

    Trunk, average pooling, dense layers with ReLU, L2 and dropout, then one head a task (Graziani et al. 2023,
    section 3; layer sizes from the released code).

    Input: `image` (n, size, size, 3), RGB from 0 to 255; preprocessing is inside. Or, without trunk and pooling,
    `embedding` (n, embedding), standardized inside by `mta.data.moments.set_moments`.

    Outputs: `tumor` (n, 1) logit; `domain` (n, domains) softmax behind gradient reversal (no such head for
    `domains=0`); each concept (n, 1), linear, in standardized units. All float32.

    Raises:
        InputError: for an unknown backbone, missing weights, layers that are not there, images too small for the
            trunk, or a concept named like a layer.
    """
    source, pooled = _embedding(spec) if spec.embedding else _pooled_image(spec)
    features = _shared_layers(pooled, spec)
    _check_names(keras.Model(source, features), spec)
    return keras.Model(source, _heads(pooled, features, spec), name="mta")


def _pooled_image(spec: ModelSpec) -> tuple[Any, Any]:
    image = keras.Input((spec.size, spec.size, 3), name="image")
    trunk = build_trunk(spec.backbone, spec.weights, image, spec.cut)
    set_trainable(trunk, spec.trainable)
    return image, layers.GlobalAveragePooling2D(name="pool")(trunk.output)


def _embedding(spec: ModelSpec) -> tuple[Any, Any]:
    embedding = keras.Input((spec.embedding,), name="embedding")
    return embedding, layers.Normalization(name=STANDARDIZATION, trainable=False)(embedding)


def _shared_layers(x: Any, spec: ModelSpec) -> Any:
    for number, width in enumerate(spec.dense, 1):
        penalty = regularizers.L2(spec.l2) if spec.l2 else None
        x = layers.Dense(width, activation="relu", kernel_regularizer=penalty, name=f"features_{number}")(x)
        x = layers.Dropout(spec.dropout, name=f"dropout_{number}")(x)
    return x


def _check_names(below: Any, spec: ModelSpec) -> None:
    network = "the network" if spec.embedding else spec.backbone
    for name in {layer.name for layer in below.layers} & set(spec.concepts):
        raise InputError(f"concept {name!r} is also the name of a layer of {network}; rename the concept")


def _heads(pooled: Any, features: Any, spec: ModelSpec) -> dict[str, Any]:
    # Heads stay in float32 under mixed precision: their outputs go straight into the losses.
    outputs = {"tumor": layers.Dense(1, dtype="float32", name="tumor")(features)}
    if spec.domains:
        hidden = GradientReversal(name="gradient_reversal")(features)
        outputs["domain"] = layers.Dense(spec.domains, activation="softmax", dtype="float32", name="domain")(hidden)
    below = pooled if spec.concept_head_on == "pool" else features
    for name in spec.concepts:
        outputs[name] = layers.Dense(1, dtype="float32", name=name)(below)
    return outputs


def tasks_of(model: Any) -> dict[str, Kind]:
    """Task name -> kind for the outputs of an inference model, in the order of the loss: tumor, domain, concepts."""
    kinds: dict[str, Kind] = {"tumor": "binary", "domain": "categorical"}
    concepts = sorted(set(model.output) - set(kinds))  # a reloaded model has lost every other order
    return {name: kinds.get(name, "regression") for name in ("tumor", "domain", *concepts) if name in model.output}


def build_training_model(
    model: Any, class_weights: tuple[float, float] | None = None, weighting: Weighting = "original"
) -> Any:
    """`model` with label inputs and the `UncertaintyLoss` endpoint; for `fit` only.

    Args:
        model: from `build_model`, or the upper part of one; its layers are shared, so training this trains it.
        class_weights: (normal, tumor); None for the original constants.
        weighting: "original", "kendall" or "fixed", see `UncertaintyLoss`.

    Inputs: dict of `image` or `embedding` (or what else the network takes), `y_tumor` (n, 1), `y_domain` (n, domains)
    one-hot, `y_<concept>` (n, 1).
    Outputs: dict of `model`'s, and `loss`, the scalar that the endpoint adds. Compiled metrics want a target for
    every output, `loss` included (any numbers).
    """
    tasks = tasks_of(model)
    y_pred = {name: model.output[name] for name in tasks}
    y_true = {name: keras.Input(output.shape[1:], name=f"y_{name}") for name, output in y_pred.items()}
    loss = UncertaintyLoss(tasks, class_weights, weighting, name="uncertainty_loss")(y_true, y_pred)
    fed = model.input if isinstance(model.input, dict) else {model.input.name: model.input}
    inputs = {**fed, **{f"y_{name}": tensor for name, tensor in y_true.items()}}
    return keras.Model(inputs, {**y_pred, "loss": loss}, name="mta_training")


def single_head(model: Any, name: str) -> Any:
    """A model with `model`'s input and the one output `name` (n, 1) or (n, domains), sharing its layers.

    Attribution libraries want exactly one output.

    Raises:
        InputError: when there is no such output.
    """
    if name not in model.output:
        raise InputError(f"the model has no head {name!r}; it has {', '.join(model.output)}")
    return keras.Model(model.input, model.output[name], name=f"{model.name}_{name}")
