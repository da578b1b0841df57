"""The file formats of an export: how each is written, and how its file answers when it is read back."""

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from data_prep.errors import InputError
from data_prep.files import explain_write_failure

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
        raise explain_write_failure(Path(path.name), OSError(error.message.splitlines()[0])) from error


def _write_onnx(model: Any, path: Path) -> None:
    # Given outright, because Keras knows it by itself only of a model that was called.
    image = keras.InputSpec(dtype="uint8", shape=model.input.shape, name="image")
    with warnings.catch_warnings():
        # Keras 3.15 looks for np.object when it mends tf2onnx for NumPy 2.
        warnings.filterwarnings("ignore", r"In the future `np\.object`", FutureWarning)
        model.export(str(path), format="onnx", verbose=False, input_signature=[image])


def answers(kind: Format, path: Path, images: np.ndarray) -> dict[str, np.ndarray] | None:
    """Outputs of the written file for `images` (n, side, side, 3) uint8: name -> (n, width) float32.

    Each format is read as its users would, without our network. None where ONNX Runtime is not installed.
    """
    if kind == "keras":
        return keras.saving.load_model(path, compile=False, safe_mode=True).predict(images, verbose=0)
    if kind == "saved_model":
        return _answers_of_saved_model(path, images)
    return _answers_of_onnx(path, images) if find_spec("onnxruntime") else None


def _answers_of_saved_model(path: Path, images: np.ndarray) -> dict[str, np.ndarray]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    outputs = loaded.signatures["serving_default"](image=tf.constant(images))
    return {name: values.numpy() for name, values in outputs.items()}


def _answers_of_onnx(path: Path, images: np.ndarray) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": images}), strict=True))
