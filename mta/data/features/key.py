"""What the features of a store depend on, as one name."""

import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

VERSION = 1


def cache_key(files: list[Path], channels: str, normalizer: Any, cut: Any, views: int, dtype: str) -> dict[str, Any]:
    """Everything that decides the numbers in a cache: other facts, another cache.

    Args:
        files: of the store; told apart by fingerprint and time of change.
        channels: "rgb" or "stored".
        normalizer: of the stain, or None.
        cut: `mta.frozen.Cut`; its weights and the kinds and settings of its layers count, their automatic names do not.
        views: dihedral views of each patch, 1 or 8.
        dtype: of the numbers on disk.
    """
    from mta.provenance import fingerprint

    return {
        "version": VERSION,
        "store": [[fingerprint(path), path.stat().st_mtime_ns] for path in files],
        "channels": channels,
        "stain": None if normalizer is None else normalizer.fields(),
        "network": _digest_network(cut.lower),
        "shapes": [list(shape) for shape in cut.shapes],
        "views": views,
        "dtype": dtype,
        "made_by": [keras.backend.backend(), keras.__version__],
    }


def key_name(key: dict[str, Any]) -> str:
    """The name of the folder for `key`."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]


def _digest_network(lower: Any) -> str:
    digest = hashlib.sha256()
    for layer in lower.layers:
        settings = {name: value for name, value in layer.get_config().items() if name != "name"}
        digest.update(f"{type(layer).__name__} {json.dumps(settings, sort_keys=True, default=str)}".encode())
        for weight in layer.weights:
            digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return digest.hexdigest()
