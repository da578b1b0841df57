"""What a run was made with, so that its numbers can be traced."""

import hashlib
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from data_prep.embeddings import is_embeddings, named_files
from data_prep.store.opening import parse_spec
from mta.config import TrainConfig

_PACKAGES = ("mta", "tensorflow", "keras", "jax", "numpy", "h5py", "opencv-python-headless", "pandas")
_EDGE = 2**20
_MEMBER_EDGE = 2**16


def fingerprint(path: str | Path, edge: int = _EDGE) -> str:
    """SHA-256 of a file's size, first and last `edge` bytes: tells files apart without reading 20 GB."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(str(size).encode())
        digest.update(file.read(edge))
        file.seek(max(0, size - edge))
        digest.update(file.read(edge))
    return digest.hexdigest()


def store_fingerprints(store: str) -> list[str]:
    """Fingerprint of each file that a store specification names (what `open_input` takes).

    Embeddings have another one, over the files that their tables name: there may be thousands.
    """
    prints = [fingerprint(path) for _, path in parse_spec(store) if path.is_file()]
    if not is_embeddings(store):
        return prints
    members = "".join(fingerprint(path, _MEMBER_EDGE) for path in named_files(store))
    return [*prints, hashlib.sha256(members.encode()).hexdigest()]


def input_fingerprints(config: TrainConfig) -> dict[str, list[str]]:
    """Setting -> fingerprint of each file that it names: store, concept file, split, trunk weights, stain reference."""
    files = {
        "concept_file": [Path(config.concept_file)],
        "split": _split_files(config),
        "weights": [Path(config.weights)],
        "stain_reference": [Path(config.stain_reference)] if config.stain != "none" else [],
    }
    found = {name: [fingerprint(path) for path in paths if path.is_file()] for name, paths in files.items()}
    found["store"] = store_fingerprints(config.store)
    return {name: prints for name, prints in found.items() if prints}


def _split_files(config: TrainConfig) -> list[Path]:
    whole = Path(config.split)
    return [whole] if whole.is_file() else [Path(part.partition("=")[2].strip()) for part in config.split.split(",")]


def provenance() -> dict[str, Any]:
    """Versions, machine, git state and command of this process."""
    import keras

    return {
        "command": sys.argv,
        "started": now(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": keras.backend.backend(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "git": _git(),
    }


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    """Commit of the source and whether it was changed; None outside a checkout."""
    folder = Path(__file__).parent
    try:
        run = lambda *words: subprocess.run(  # noqa: E731
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
        return {"commit": run("rev-parse", "HEAD"), "changed": bool(run("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
