"""The file formats of an export: how each is written, and how its file answers when it is read back."""

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from data_prep.errors import InputError
from mta.exporting.serving import DTYPES

Format = Literal["keras", "saved_model", "onnx"]
LIBRARIES = {"onnx": ("onnx", "tf2onnx")}


def require_support(kind: Format) -> None:
    """Raise InputError, with the remedy, when this installation cannot write `kind`."""
    backend = keras.backend.backend()
    if kind != "keras" and backend != "tensorflow":
        raise InputError(f"--to {kind} needs Keras on TensorFlow, not {backend}: leave KERAS_BACKEND unset")
    if missing := [name for name in LIBRARIES.get(kind, ()) if find_spec(name) is None]:
        raise InputError(
            f"--to {kind} needs {' and '.join(missing)}, not installed here: pip install onnx tf2onnx onnxruntime"
        )


def write_model(model: Any, kind: Format, path: Path) -> None:
    """Write a serving model to `path`: a file, or a folder for "saved_model".

    Raises:
        OSError: when the disk refuses.
        InputError: when TensorFlow reports that it did.
    """
    if kind == "keras":
        model.save(path)
    elif kind == "saved_model":
        _write_saved_model(model, path)
    else:
        _write_onnx(model, path)


def _write_saved_model(model: Any, path: Path) -> None:
    import tensorflow as tf

    try:
        # tf.saved_model.save would lose the names of the outputs.
        model.export(str(path), format="tf_saved_model", verbose=False)
    except tf.errors.OpError as error:
        raise InputError(f"{path.name}: could not be written: {error.message.splitlines()[0][:200]}") from error


def _write_onnx(model: Any, path: Path) -> None:
    # Given outright, because Keras knows it by itself only of a model that was called.
    name = model.input.name
    source = keras.InputSpec(dtype=DTYPES[name], shape=model.input.shape, name=name)
    with warnings.catch_warnings():
        # Keras 3.15 looks for np.object when it mends tf2onnx for NumPy 2.
        warnings.filterwarnings("ignore", r"In the future `np\.object`", FutureWarning)
        model.export(str(path), format="onnx", verbose=False, input_signature=[source])


def answers(kind: Format, path: Path, samples: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Outputs of the written file for `samples`, name of its input -> (n, …): name -> (n, width) float32.

    Each format is read as its users would, without our network. None where ONNX Runtime is not installed.
    """
    if kind == "keras":
        (values,) = samples.values()
        return keras.saving.load_model(path, compile=False, safe_mode=True).predict(values, verbose=0)
    if kind == "saved_model":
        return _answers_of_saved_model(path, samples)
    return _answers_of_onnx(path, samples) if find_spec("onnxruntime") else None


def _answers_of_saved_model(path: Path, samples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    outputs = loaded.signatures["serving_default"](**{name: tf.constant(values) for name, values in samples.items()})
    return {name: values.numpy() for name, values in outputs.items()}


def _answers_of_onnx(path: Path, samples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, samples), strict=True))
