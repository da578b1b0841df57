"""Run by test_jax_backend on either backend: what the model computes from fixed numbers, as JSON."""

import json
import sys

import keras
import numpy as np

from mta.layers import ColorJitter, GradientReversal, HEDJitter, RandomDihedral, StainMatrixJitter, UncertaintyLoss
from mta.metrics import LogitAccuracy
from mta.model import ModelSpec, build_model, build_training_model

SPEC = ModelSpec(
    concepts=("ncount",), domains=3, backbone="SmallCNN", weights=None, trainable="all", size=32,
    dense=(8,), dropout=0.0,
)  # fmt: skip


def numbers(value):
    return np.asarray(keras.ops.convert_to_numpy(value), "float64").tolist()


def gradient(function, x):
    if keras.backend.backend() == "jax":
        import jax

        return numbers(jax.grad(function)(x))
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return numbers(tape.gradient(value, x))


def reversal(strength):
    layer = GradientReversal(strength)
    x = np.array([1.0, -2.0, 3.0], "float32")
    return {"forward": numbers(layer(x)), "gradient": gradient(lambda z: keras.ops.sum(layer(z) ** 2), x)}


def golden(path):
    file = np.load(path)
    result = {}
    for prefix in sorted({key.rsplit("/", 1)[0] for key in file if key.startswith("multi_loss")}):
        count = len(file[f"{prefix}/log_vars"])
        kinds = ["binary", *(["categorical"] if "adversarial" in prefix else [])]
        kinds += ["regression"] * (count - len(kinds))
        layer = UncertaintyLoss({str(j): kind for j, kind in enumerate(kinds)})
        for j in range(count):
            layer.log_vars[str(j)].assign(file[f"{prefix}/log_vars"][j])
        y_true, y_pred = ({str(j): file[f"{prefix}/{key}{j}"] for j in range(count)} for key in ("y_true", "y_pred"))
        result[f"{prefix}/loss"] = numbers(layer(y_true, y_pred))
        for name in y_pred:
            result[f"{prefix}/grad_pred{name}"] = gradient(
                lambda z, name=name, layer=layer, t=y_true, p=y_pred: layer(t, {**p, name: z}), y_pred[name]
            )
    return result


def batch():
    rng = np.random.default_rng(0)
    x = {
        "image": rng.integers(0, 256, (4, 32, 32, 3)),
        "y_tumor": np.array([[1.0], [0.0], [-1.0], [0.0]]),
        "y_domain": np.eye(3)[[0, 2, 1, 0]] * [[1], [1], [0], [1]],
        "y_ncount": np.array([[0.5], [np.nan], [-1.0], [2.0]]),
    }
    x = {name: values.astype("float32") for name, values in x.items()}
    y = {name.removeprefix("y_"): values for name, values in x.items() if name != "image"}
    return x, {**y, "loss": np.zeros(4, "float32")}


def training():
    model = build_training_model(build_model(SPEC))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.1, weight.shape).astype("float32") for weight in model.weights])
    model.compile(keras.optimizers.SGD(0.01), metrics={"tumor": [LogitAccuracy()]})
    x, y = batch()
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return {"loss": history["loss"], "checksum": [float(np.abs(weight).sum()) for weight in model.get_weights()]}


def augmentation():
    """Every augmentation of the same images by the same draws, and whether a training step draws anew each time."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (3, 8, 8, 3)).astype("float32")
    factors = [rng.uniform(0.8, 1.2, 3).astype("float32") for _ in range(4)]
    two, three = (rng.uniform(-0.2, 0.2, (2, 3, stains)).astype("float32") for stains in (2, 3))
    draws = {
        RandomDihedral: [np.array([1, 6, 3])],
        StainMatrixJitter: [1 + two[0], two[1]],
        HEDJitter: [1 + three[0], three[1]],
        ColorJitter: factors,
    }
    report = {}
    for cls, drawn in draws.items():
        layer = cls(seed=1)
        first, second = (numbers(layer(images, training=True)) for _ in range(2))
        report[cls.__name__] = {"given": numbers(layer.transform(images, *drawn)), "anew": first != second}
    return report


def augmented_fit():
    """The loss of three epochs of a network that never changes, on one image: only what is drawn differs."""
    image = keras.Input((8, 8, 3))
    features = keras.layers.Flatten()(HEDJitter(0.2, seed=1)(image))
    model = keras.Model(image, keras.layers.Dense(1, trainable=False, kernel_initializer="ones")(features))
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    pixels = np.full((4, 8, 8, 3), 100, "uint8")
    return model.fit(pixels, np.zeros((4, 1)), epochs=3, verbose=0).history["loss"]


if __name__ == "__main__":
    report = {"backend": keras.backend.backend(), "training": training()}
    report["augmentation"], report["augmented_fit"] = augmentation(), augmented_fit()
    report["reversal"] = {str(strength): reversal(strength) for strength in (0.0, 0.1, 1.0, 10.0)}
    report["golden"] = golden(sys.argv[1]) if len(sys.argv) > 1 else {}
    sys.stdout.write(json.dumps(report) + "\n")
