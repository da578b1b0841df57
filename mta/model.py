"""The multi-task adversarial network, and the training model wrapped around it."""

from typing import Any

import keras
from keras import layers, regularizers

from data_prep.errors import InputError
from mta.backbones import build_trunk
from mta.layers import GradientReversal, OfClass, UncertaintyLoss
from mta.layers.uncertainty_loss import Kind, Weighting
from mta.spec import ModelSpec
from mta.trainable import set_trainable

STANDARDIZATION = "standardization"
BY_CLASS = "domain_by_class"

__all__ = ["ModelSpec", "build_model", "build_training_model", "single_head", "standardization_of", "tasks_of"]


def build_model(spec: ModelSpec) -> Any:
    """The inference network of `spec`: a functional Keras model with dict outputs.

    Trunk, average pooling, standardization if asked for, dense layers with ReLU, L2 and dropout, then one head a task
    (Graziani et al. 2023, section 3; layer sizes from the released code).

    Input: `image` (n, size, size, 3), RGB from 0 to 255; preprocessing is inside. Or, without trunk and pooling,
    `embedding` (n, embedding). What is standardized inside is so by `mta.data.moments.set_moments`.

    Outputs: `tumor` (n, 1) logit; `domain` (n, domains) softmax behind gradient reversal (no such head for
    `domains=0`); each concept (n, 1), linear, in standardized units. All float32.

    Raises:
        InputError: for an unknown backbone, missing weights, layers that are not there or give no map, images too
            small for the trunk, or a concept named like a layer.
    """
    source, pooled = _embedding(spec) if spec.embedding else _pooled_image(spec)
    features = _shared_layers(pooled, spec)
    outputs = _class_heads(features, spec)
    _check_names(keras.Model(source, outputs), spec)
    concepts = _concept_heads(pooled if spec.concept_head_on == "pool" else features, spec)
    return keras.Model(source, {**outputs, **concepts}, name="mta")


def _pooled_image(spec: ModelSpec) -> tuple[Any, Any]:
    image = keras.Input((spec.size, spec.size, 3), name="image")
    trunk = build_trunk(spec.backbone, spec.weights, image, spec.cut)
    set_trainable(trunk, spec.trainable)
    pooled = layers.GlobalAveragePooling2D(name="pool")(trunk.output)
    return image, _standardized(pooled) if spec.standardize else pooled


def _embedding(spec: ModelSpec) -> tuple[Any, Any]:
    embedding = keras.Input((spec.embedding,), name="embedding")
    return embedding, _standardized(embedding)


def _standardized(x: Any) -> Any:
    # In float32 always: shorter numbers could lose what varies in a number that is far from 0.
    return layers.Normalization(name=STANDARDIZATION, trainable=False, dtype="float32")(x)


def standardization_of(model: Any) -> Any:
    """The layer of `model` that standardizes what enters the shared layers, or None."""
    return next((layer for layer in model.layers if layer.name == STANDARDIZATION), None)


def _shared_layers(x: Any, spec: ModelSpec) -> Any:
    for number, width in enumerate(spec.dense, 1):
        penalty = regularizers.L2(spec.l2) if spec.l2 else None
        x = layers.Dense(width, activation="relu", kernel_regularizer=penalty, name=f"features_{number}")(x)
        x = layers.Dropout(spec.dropout, name=f"dropout_{number}")(x)
    return x


def _check_names(rest: Any, spec: ModelSpec) -> None:
    for name in {layer.name for layer in rest.layers} & set(spec.concepts):
        raise InputError(f"concept {name!r} is also the name of a layer of the network; rename the concept")


def _class_heads(features: Any, spec: ModelSpec) -> dict[str, Any]:
    # Heads stay in float32 under mixed precision: their outputs go straight into the losses.
    outputs = {"tumor": layers.Dense(1, dtype="float32", name="tumor")(features)}
    if spec.domains:
        hidden = GradientReversal(name="gradient_reversal")(features)
        outputs["domain"] = _domain_head(hidden, outputs["tumor"], spec)
    return outputs


def _concept_heads(below: Any, spec: ModelSpec) -> dict[str, Any]:
    return {name: layers.Dense(1, dtype="float32", name=name)(below) for name in spec.concepts}


def _domain_head(hidden: Any, tumor: Any, spec: ModelSpec) -> Any:
    """P(centre) (n, domains) from the reversed features.

    Conditional: a head for each class, and their mean weighted by P(class), since the class is not known in prediction.
    Stock layers, so that the saved model needs no code for it.
    """
    if spec.adversary_mode == "marginal":
        return layers.Dense(spec.domains, activation="softmax", dtype="float32", name="domain")(hidden)
    each = layers.Dense(2 * spec.domains, dtype="float32", name="domain_logits")(hidden)
    each = layers.Reshape((2, spec.domains), dtype="float32", name="domain_logits_by_class")(each)
    each = layers.Softmax(dtype="float32", name=BY_CLASS)(each)
    nothing = layers.Rescaling(0.0, dtype="float32", name="normal")(tumor)
    pair = layers.Concatenate(dtype="float32", name="class_logits")([nothing, tumor])
    shares = layers.Softmax(dtype="float32", name="class_shares")(pair)
    return layers.Dot(axes=(1, 1), dtype="float32", name="domain")([shares, each])


def taught(model: Any) -> Any:
    """`model` with all that is taught as outputs: for a conditional adversary also `domain_by_class` (n, 2, domains).

    To be taken before `model` is called on anything else; `model` itself where there is nothing to add.
    """
    if BY_CLASS not in {layer.name for layer in model.layers}:
        return model
    return keras.Model(model.input, {**model.output, BY_CLASS: model.get_layer(BY_CLASS).output}, name=model.name)


def tasks_of(model: Any) -> dict[str, Kind]:
    """Task name -> kind for the outputs of an inference model, in the order of the loss: tumor, domain, concepts."""
    kinds: dict[str, Kind] = {"tumor": "binary", "domain": "categorical"}
    concepts = sorted(set(model.output) - {*kinds, BY_CLASS})  # a reloaded model has lost every other order
    return {name: kinds.get(name, "regression") for name in ("tumor", "domain", *concepts) if name in model.output}


def build_training_model(
    model: Any, class_weights: tuple[float, float] | None = None, weighting: Weighting = "original"
) -> Any:
    """`model` with label inputs and the `UncertaintyLoss` endpoint; for `fit` only.

    Args:
        model: from `build_model` (`taught`, for a conditional adversary), or the upper part of one; its layers are
            shared, so training this trains it.
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
    if BY_CLASS in model.output:
        y_pred["domain"] = OfClass(name="domain_of_class")(model.output[BY_CLASS], y_true["tumor"])
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
