"""The file formats of an export: how each is written, and how its file answers when it is read back."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from data_prep.errors import InputError
from data_prep.files import explain_write_failure
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
        raise explain_write_failure(Path(path.name), OSError(error.message.splitlines()[0])) from error


def _write_onnx(model: Any, path: Path) -> None:
    # Given outright, because Keras knows it by itself only of a model that was called.
    name = model.input.name
    source = keras.InputSpec(dtype=DTYPES[name], shape=model.input.shape, name=name)
    with warnings.catch_warnings():
        # Keras 3.15 looks for np.object when it mends tf2onnx for NumPy 2.
        warnings.filterwarnings("ignore", r"In the future `np\.object`", FutureWarning)
        model.export(str(path), format="onnx", verbose=False, input_signature=[source])


@dataclass(frozen=True)
class Served:
    """A written file that is asked as a Keras model is.

    `input.shape` is (None, side, side, 3) or (None, width); `predict_on_batch` takes (n, side, side, 3) uint8 or
    (n, width) float32 and gives name -> (n, width) float32.
    """

    input: Any
    predict_on_batch: Callable[[np.ndarray], dict[str, np.ndarray]]


def kind_of(path: Path) -> Format:
    """What export `path` is; InputError where it is none."""
    if (path / "saved_model.pb").is_file():
        return "saved_model"
    kinds: dict[str, Format] = {".keras": "keras", ".onnx": "onnx"}
    if path.is_file() and path.suffix in kinds:
        return kinds[path.suffix]
    raise InputError(f"{path}: no export; name a folder with saved_model.pb, or a file .keras or .onnx")


def open_model(kind: Format, path: Path) -> Any:
    """The model in an export, read as its users would, without our network: a Keras model or a `Served`.

    Raises:
        InputError: when the file is damaged, or what reads it is not installed.
    """
    if kind == "onnx" and not find_spec("onnxruntime"):
        raise InputError(f"{path}: is read by ONNX Runtime, not installed here: pip install onnxruntime")
    readers: dict[Format, Callable[[Path], Any]] = {"saved_model": _open_saved_model, "onnx": _open_onnx}
    try:
        return readers.get(kind, _open_keras)(path)
    except Exception as error:  # three libraries on a foreign file, which can fail in any way
        raise InputError(f"{path}: damaged or no {kind} export ({' '.join(str(error).split())[:200]})") from error


def _open_keras(path: Path) -> Any:
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def _open_saved_model(path: Path) -> Served:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    ((source, spec),) = signature.structured_input_signature[1].items()

    def ask(samples: np.ndarray, _keep: Any = loaded) -> dict[str, np.ndarray]:  # its variables go with it
        return {name: values.numpy() for name, values in signature(**{source: tf.constant(samples)}).items()}

    return Served(spec, ask)


def _open_onnx(path: Path) -> Served:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    (source,) = session.get_inputs()
    return Served(source, lambda samples: dict(zip(names, session.run(names, {source.name: samples}), strict=True)))


def answers(kind: Format, path: Path, samples: np.ndarray) -> dict[str, np.ndarray] | None:
    """Outputs of the written file for `samples` (n, …) of its input: name -> (n, width) float32.

    None where ONNX Runtime is not installed.
    """
    if kind == "onnx" and not find_spec("onnxruntime"):
        return None
    return open_model(kind, path).predict_on_batch(samples)
