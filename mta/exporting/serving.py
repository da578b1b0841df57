"""The network that leaves the house: stock layers only, from RGB bytes or embeddings to outputs in their units."""

from typing import Any

import keras
import numpy as np
from keras import layers

from data_prep.errors import InputError
from mta.data.dataset import Coding
from mta.layers import GradientReversal
from mta.model import STANDARDIZATION

PROBABILITY = "tumor_probability"
DTYPES = {"image": "uint8", "embedding": "float32"}
"""Name -> type of the input that an export takes."""


def serving_model(model: Any, coding: Coding) -> Any:
    """`model` (from `build_model`) without reversal, for use without this package.

    Input: `image` (n, side, side, 3) RGB uint8; preprocessing is inside, stain normalization is not. Or `embedding`
    (n, width) float32, as the encoder gives it; standardization is inside.

    Outputs, all float32: `tumor` (n, 1) logit; `tumor_probability` (n, 1), its sigmoid; `domain` (n, centres)
    probabilities where there is such a head; each concept (n, 1) in its own unit. Weights are shared with `model`.

    Raises:
        InputError: when a concept has the name of the added output.
    """
    if PROBABILITY in model.output:
        raise InputError(f"concept {PROBABILITY!r} has the name of an output of the export; train with another name")
    name = model.input.name
    source = keras.Input(model.input.shape[1:], dtype=DTYPES[name], name=name)
    outputs = dict(keras.models.clone_model(model, input_tensors=source, clone_function=_stock).output)
    outputs[PROBABILITY] = layers.Activation("sigmoid", dtype="float32", name=PROBABILITY)(outputs["tumor"])
    for concept, scale in coding.scales.items():
        # The dash keeps the layer's name apart from every concept's, which are plain words.
        restore = layers.Rescaling(scale.std, offset=scale.mean, dtype="float32", name=f"{concept}-unit")
        outputs[concept] = restore(outputs[concept])
    # Functional models made of the clone's own input keep one flat graph.
    return keras.Model(source, outputs, name="mta")


def _stock(layer: Any) -> Any:
    if isinstance(layer, GradientReversal):
        return layers.Identity(name=layer.name)
    return _constants(layer) if layer.name == STANDARDIZATION else layer


def _constants(layer: Any) -> Any:
    """The standardization as constants of the graph: ONNX would take its mean and variance for further inputs."""
    mean, variance = (keras.ops.convert_to_numpy(weight) for weight in (layer.adapt_mean, layer.adapt_variance))
    scale = 1.0 / np.sqrt(variance.astype(float))
    return layers.Rescaling(scale.tolist(), offset=(-mean * scale).tolist(), name=layer.name)


def expected_outputs(model: Any, coding: Coding, samples: np.ndarray) -> dict[str, np.ndarray]:
    """What the export must answer to `samples` (n, …) of its input: name -> (n, width), from the run's own network.

    Computed apart from `serving_model`, so that it can be held against it.
    """
    outputs = {name: values.astype(float) for name, values in model.predict(samples, verbose=0).items()}
    outputs[PROBABILITY] = 1.0 / (1.0 + np.exp(-outputs["tumor"]))
    return outputs | {name: scale.restore(outputs[name]) for name, scale in coding.scales.items()}
