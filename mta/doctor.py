"""`python -m mta.doctor`: what is installed, what the machine offers, what is missing and how to get it."""

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from data_prep.console import run, say
from mta.backend import notes_held_back

PROG = "python -m mta.doctor"
# module -> (what it is for, what pip installs)
OPTIONAL = {
    "openslide": ("reading whole slides", "openslide-python openslide-bin"),
    "umap": ("embedding figures", "umap-learn"),
    "jax": ("Keras on its JAX backend", "jax"),
    "onnx": ("export to ONNX", "onnx tf2onnx onnxruntime"),
    "tf2onnx": ("export to ONNX", "onnx tf2onnx onnxruntime"),
    "onnxruntime": ("export to ONNX", "onnx tf2onnx onnxruntime"),
    "tensorboard": ("live training curves", "tensorboard"),
}
WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
WEIGHTS_MD5 = "bcbd6486424b2319ff4ef7d526e38f63"  # of the file that keras.applications 3 asks for
_ROOMY_GIB = 2.0  # a run folder with InceptionV3 and its optimizer state stays below
_GIB = 2**30


def doctor(json: bool = False) -> dict[str, Any]:
    """Check this installation and machine for training, and say what to do where something is missing.

    Args:
        json: print one JSON object instead of text.

    Returns:
        The report that was printed: `versions`, `devices`, `optional`, `weights`, `folder`, `problems` (they
        prevent training), `advice` (they do not) and `ready`.
    """
    with notes_held_back():
        report = examine()
    say(_as_json(report) if json else _as_text(report))
    return report


def examine() -> dict[str, Any]:
    """The report of `doctor`, without printing it. Sizes are in GiB."""
    versions, problems = _requirements()
    devices, broken = _devices()
    report: dict[str, Any] = {
        "versions": versions,
        "devices": devices,
        "optional": {module: _version(module) for module in OPTIONAL},
        "weights": _weights(),
        "folder": _folder(),
    }
    problems += broken
    if not report["folder"]["writable"]:
        problems.append(f"{report['folder']['path']} is not writable: run from another folder or give --out elsewhere")
    return report | {"problems": problems, "advice": _advice(report), "ready": not problems}


def _requirements() -> tuple[dict[str, str | None], list[str]]:
    """The version of Python and of every required package, and a problem for each that is missing or too old."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    try:
        versions["mta"], lines = metadata.version("mta"), metadata.requires("mta") or []
    except metadata.PackageNotFoundError:
        return versions, ["mta itself is not installed: run `make demo`, or pip install -e . in its folder"]
    checked = [_check(line) for line in lines]
    versions |= {name: version for name, version, _ in filter(None, checked)}
    return versions, [problem for _, _, problem in filter(None, checked) if problem]


def _check(line: str) -> tuple[str, str | None, str] | None:
    """(package, installed version, problem or "") of a requirement line; None for those of extras."""
    from packaging.requirements import Requirement

    wanted = Requirement(line)
    if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
        return None
    remedy = f'pip install "{wanted.name}{wanted.specifier}"'
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return wanted.name, None, f"{wanted.name} is missing: {remedy}"
    fits = wanted.specifier.contains(found, prereleases=True)
    return wanted.name, found, "" if fits else f"{wanted.name} {found} is not {wanted.specifier}: {remedy}"


def _devices() -> tuple[dict[str, Any], list[str]]:
    machine = {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory(),
        "free_disk_gib": round(shutil.disk_usage(Path.cwd()).free / _GIB, 1),
    }
    try:
        return machine | _as_seen_by_keras(), []
    except (ImportError, OSError) as error:
        problem = f"TensorFlow or Keras does not start ({_one_line(error)}): reinstall with pip install -e ."
        return machine | {"backend": None, "gpus": []}, [problem]


def _as_seen_by_keras() -> dict[str, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    return {"backend": keras.backend.backend(), "gpus": [gpu.name for gpu in tf.config.list_physical_devices("GPU")]}


def _memory() -> float | None:
    """Installed memory in GiB; None where the system does not tell."""
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1)


def _version(module: str) -> str | None:
    """The version of an optional module, "unknown" when it has none, None when it is not there."""
    if find_spec(module) is None:
        return None
    packages = metadata.packages_distributions().get(module, [])
    return metadata.version(packages[0]) if packages else "unknown"


def _weights() -> dict[str, Any]:
    """Whether the ImageNet weights of the default backbone lie where Keras looks for them."""
    path = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models" / WEIGHTS
    if not path.is_file():
        return {"backbone": "InceptionV3", "path": str(path), "state": "missing"}
    with open(path, "rb") as file:
        whole = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == WEIGHTS_MD5
    return {"backbone": "InceptionV3", "path": str(path), "state": "found" if whole else "damaged"}


def _folder() -> dict[str, Any]:
    """Whether the current folder takes a file."""
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()) as file:
            file.write(b"mta")
        return {"path": str(Path.cwd()), "writable": True}
    except OSError:
        return {"path": str(Path.cwd()), "writable": False}


def _advice(report: dict[str, Any]) -> list[str]:
    advice = []
    if (state := report["weights"]["state"]) != "found":
        advice.append(
            f"the ImageNet weights of InceptionV3 are {state} at {report['weights']['path']}: the first run downloads "
            "them; offline, put the file there or give --weights FILE (docs/data.md), or --weights none"
        )
    if not report["devices"]["gpus"] and shutil.which("nvidia-smi"):
        advice.append('there is an NVIDIA driver but TensorFlow sees no GPU: pip install "tensorflow[and-cuda]"')
    if report["devices"]["free_disk_gib"] < _ROOMY_GIB:
        advice.append(f"less than {_ROOMY_GIB:g} GiB of disk are free here: a run folder may not fit")
    missing = dict.fromkeys(OPTIONAL[module] for module, version in report["optional"].items() if version is None)
    return advice + [f"for {purpose}: pip install {packages}" for purpose, packages in missing]


def _as_json(report: dict[str, Any]) -> str:
    from json import dumps

    return dumps(report, indent=2)


def _as_text(report: dict[str, Any]) -> str:
    devices, folder = report["devices"], report["folder"]
    machine = {
        "GPUs": ", ".join(devices["gpus"]) or "none (training runs on the processor)",
        "CPU cores": devices["cpus"],
        "memory": f"{devices['memory_gib']} GiB",
        "free disk": f"{devices['free_disk_gib']} GiB",
        "Keras backend": devices["backend"],
        "this folder": f"{folder['path']} ({'writable' if folder['writable'] else 'NOT writable'})",
        "ImageNet weights": f"{report['weights']['state']} ({report['weights']['backbone']})",
    }
    sections = {"versions": report["versions"], "machine": machine, "optional": report["optional"]}
    lines = [line for title, entries in sections.items() for line in _section(title, entries)]
    lines += [f"PROBLEM  {problem}" for problem in report["problems"]]
    lines += [f"advice   {advice}" for advice in report["advice"]]
    return "\n".join([*lines, "", "ready to train" if report["ready"] else "NOT ready to train: see PROBLEM above"])


def _section(title: str, entries: dict[str, Any]) -> list[str]:
    return [title, *(f"  {name:<24} {'missing' if value is None else value}" for name, value in entries.items()), ""]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command; exit status 1 when training is not possible."""
    if not run(doctor, PROG, argv)["ready"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
