"""Putting an export in its place with all that belongs to it, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.errors import InputError
from data_prep.files import explain_write_failure

SUFFIXES = {"keras": ".keras", "onnx": ".onnx", "saved_model": ""}


def destination(run: Path, kind: str, out: str | Path | None, overwrite: bool) -> Path:
    """Where an export of `kind` goes: `out`, or `RUN/export/{model.keras,saved_model,model.onnx}`.

    Raises:
        InputError: for an unknown kind, a wrong ending, for something that is there already, and, even with
            `overwrite`, for a folder that is no SavedModel.
    """
    if kind not in SUFFIXES:
        raise InputError(f"there is no export to {kind!r}; choose one of {', '.join(SUFFIXES)}")
    path = Path(out) if out else run / "export" / {"saved_model": kind}.get(kind, f"model.{kind}")
    if kind != "saved_model" and path.suffix != SUFFIXES[kind]:
        raise InputError(f"{path}: the name of a {kind} export must end in {SUFFIXES[kind]}")
    if not path.exists():
        return path
    if not overwrite:
        raise InputError(f"{path}: is there already; give --overwrite, or another --out")
    if path.is_dir() != (kind == "saved_model") or (path.is_dir() and not (path / "saved_model.pb").is_file()):
        raise InputError(f"{path}: is there and is no {kind} export; choose another --out")
    return path


def companions(path: Path) -> tuple[Path, Path]:
    """The model card and the stain file of the export at `path`: inside a folder, beside a file."""
    if path.is_dir():
        return path / "MODEL_CARD.md", path / "stain.json"
    return path.with_name(f"{path.name}.md"), path.with_name(f"{path.name}.stain.json")


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Yield a path of the same name in a temporary folder beside `path`.

    When the block ends well, everything in that folder moves to the folder of `path`, `path` itself last;
    otherwise nothing does. Write failures become an InputError.
    """
    stage = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        stage.mkdir(parents=True)
        yield stage / path.name
        for part in sorted(stage.iterdir(), key=lambda part: part.name == path.name):
            _flush(part)
            _move(part, path.with_name(part.name))
    except OSError as error:
        raise explain_write_failure(path, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _flush(part: Path) -> None:
    for file in [part, *part.rglob("*")]:
        if file.is_file():
            with open(file, "rb") as opened:
                os.fsync(opened.fileno())


def _move(source: Path, target: Path) -> None:
    # A folder cannot be renamed over a full one: the old one goes into the stage first and back on failure.
    old = source.with_name(f"{source.name}.old")
    if target.is_dir():
        os.replace(target, old)
    try:
        os.replace(source, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise
