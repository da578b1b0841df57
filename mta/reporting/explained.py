"""What `python -m mta.explain` has left: figures and tables, or the command that makes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.page import Node, element, jpeg, picture, section, table
from data_prep.store import Patches
from mta.reporting.embedding import embedding
from mta.reporting.evidence import Evidence

_LINES = 60
_POINTS = 1500
_WIDEST, _SMALLEST = 1400, 500
"""Pixels: wider figures are scaled down, until they fit their share of the page."""
_ALL_FIGURES = 5_000_000
"""Bytes of all figures together."""

# command -> (heading, what it answers, figures with what they show, tables)
Shown = tuple[str, str, dict[str, str], tuple[str, ...]]
_KINDS: dict[str, Shown] = {
    "probe": (
        "Probes",
        "Which layers carry which concept, and the centre: linear probes on held-out patients, against chance.",
        {"probe.png": "How well each concept and the centre can be read off each layer"},
        ("probe.csv",),
    ),
    "umap": ("UMAP", "What a layer makes of the test patches, in two dimensions.", {}, ()),
    "gradcam": (
        "Where it looks",
        "Maps of what each output depends on, their agreement with the nuclei, and what deleting these places does.",
        {
            "gallery.png": "Patches with the maps of every head",
            "deletion.png": "What deleting and inserting pixels does",
        },
        ("agreement.csv", "deletion.csv", "sharpness.csv", "comparison.csv"),
    ),
    "parts": (
        "Parts",
        "What the network has learned to see, over all patches: parts of a layer, and what each is worth to each head.",
        {
            "exemplars.png": "The patches that show each part best",
            "maps.png": "Where the parts lie on some patches",
            "stability.png": "Error and stability by the number of parts",
        },
        ("parts.csv", "selection.csv"),
    ),
    "diagnose": (
        "Is the centre gone?",
        "A fresh probe for the centre on frozen features, and how the adversary trained.",
        {"diagnose.png": "Diagnosis of the adversary"},
        (),
    ),
}


def explained(runs: Sequence[Evidence], pixels: Sequence[Patches | str], beside: Path) -> Node:
    """The section. Several runs may also share results in `beside`, a folder with one folder a command.

    Raises `InputError` for a file that is there and damaged.
    """
    places = [(run.name, run.folder.file("explain"), source) for run, source in zip(runs, pixels, strict=True)]
    if len(runs) > 1:
        places = [("together", beside, pixels[0]), *places]
    folders = [folder / kind for _, folder, _ in places for kind in _KINDS]
    share = _ALL_FIGURES // max(1, sum(len(list(folder.glob("*.png"))) for folder in folders))
    most = _POINTS // max(1, sum((folder / "umap.csv").is_file() for folder in folders))
    parts: list[Node] = []
    for kind, (heading, purpose, _, _) in _KINDS.items():
        parts += [element("h3", heading), element("p", purpose)]
        found = [(name, folder / kind, source) for name, folder, source in places if (folder / kind).is_dir()]
        for number, (name, folder, source) in enumerate(found):
            parts += [element("h4", name)] if len(runs) > 1 else []
            parts += _umap(folder, source, str(number), most) if kind == "umap" else _results(folder, kind, share)
        if not found:
            parts.append(_remedy(kind, runs))
    return section("Explanations", *parts)


def _remedy(kind: str, runs: Sequence[Evidence]) -> Node:
    words = f"python -m mta.explain {kind} {' '.join(str(run.folder.path) for run in runs[:1])}"
    return element("p", "Not made yet: ", element("code", words), class_="soft")


def _results(folder: Path, kind: str, share: int) -> list[Node]:
    _, _, figures, tables = _KINDS[kind]
    parts = [
        picture(_shrunk(folder / name, share), f"{said}.", said)
        for name, said in figures.items()
        if (folder / name).is_file()
    ]
    return parts + [_listed(folder / name) for name in tables if (folder / name).is_file()]


def _umap(folder: Path, source: Patches | str, sheet: str, most: int) -> list[Node]:
    path = folder / "umap.csv"
    if not path.is_file():
        return [element("p", f"{path.name} is not there.", class_="soft")]
    names = ("run", "layer", "patient", "slide", "centre", "role", "class")
    found = _read(path, dtype=dict.fromkeys(names, str))
    texts = {column: found[column].fillna("") for column in names if column in found}
    try:
        charts = embedding(found.assign(**texts), source, sheet, most)
    except InputError as error:
        raise InputError(f"{path}: damaged ({error}); make it again, or remove it") from error
    return charts if isinstance(source, Patches) else [*charts, element("p", source, class_="soft")]


def _read(path: Path, **options: Any) -> pd.DataFrame:
    try:
        return pd.read_csv(path, encoding="utf-8", **options)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); make it again, or remove it") from error


def _listed(path: Path) -> Node:
    found = _read(path)
    lines = found.head(_LINES).astype(object).where(found.head(_LINES).notna(), float("nan")).to_numpy().tolist()
    texts = 1 + sum(not pd.api.types.is_numeric_dtype(found[name]) for name in found.columns[1:])
    more = f", the first {_LINES} of {len(found)} lines" if len(found) > _LINES else ""
    body = table(f"{path.name}{more}", list(map(str, found.columns)), lines, texts=texts)
    return element("details", element("summary", f"{path.name}: {len(found)} lines"), body)


def _picture(path: Path) -> np.ndarray:
    """The picture (h, w, 3) at `path`, BGR."""
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):  # empty, or larger than OpenCV reads
        image = None
    if image is None:
        raise InputError(f"{path}: damaged (no picture); make it again, or remove it")
    return image


def _shrunk(path: Path, share: int) -> str:
    """The picture at `path` as a JPEG of at most `share` bytes, unless that makes it smaller than 500 pixels."""
    image = _picture(path)
    width = min(_WIDEST, image.shape[1])
    while True:
        scale = width / image.shape[1]
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        data = jpeg(small[..., ::-1])
        if len(data) <= share or width <= _SMALLEST:
            return data
        width = max(_SMALLEST, int(width * 0.8))
