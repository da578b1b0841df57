"""The rows of `make bench`: what is compared with whom, on what. A new one is a function here and a line in `ROWS`.

Each yields its rivals, ours under `OURS`: name -> (work, number of items in it). Peers that are not installed are an
error: they are in `benchmarks/requirements.txt`.
"""

import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from benchmarks.timing import Work

OURS = "ours"
Rivals = dict[str, tuple[Work, int]]


@cache
def synthetic() -> SimpleNamespace:
    """48 synthetic patches (224 px, 0.25 um a pixel) with their nuclei, and one more as a reference."""
    from data_prep.synthetic import SyntheticSpec, synthesize

    blocks = list(synthesize(SyntheticSpec(patches=49, patients=15, size=224, mpp=0.25)))
    patches, masks = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("patches", "masks"))
    return SimpleNamespace(reference=patches[0], patches=patches[1:], masks=masks[1:].astype(np.int32))


def each(work: Callable[..., object], *columns: np.ndarray) -> tuple[Work, int]:
    """`work` on one item of `columns` after the other."""
    return lambda: [work(*item) for item in zip(*columns, strict=True)], len(columns[0])


@contextmanager
def reinhard() -> Iterator[Rivals]:
    from torchstain.numpy.normalizers import NumpyReinhardNormalizer

    from benchmarks.stain import OriginalWay
    from data_prep.stain import Reinhard

    data, peer = synthetic(), NumpyReinhardNormalizer()
    ours, original = Reinhard().fit(data.reference), OriginalWay(data.reference)
    peer.fit(data.reference)
    yield {
        OURS: (lambda: ours.transform(data.patches), len(data.patches)),
        "the original's way": each(original.transform, data.patches),
        "torchstain (NumPy)": each(peer.normalize, data.patches),
    }


@contextmanager
def macenko() -> Iterator[Rivals]:
    from torchstain.numpy.normalizers import NumpyMacenkoNormalizer

    from data_prep.stain import Macenko

    data, ours, peer = synthetic(), Macenko(), NumpyMacenkoNormalizer()
    yield {
        OURS: (lambda: ours.transform(data.patches), len(data.patches)),
        "torchstain (NumPy)": each(partial(peer.normalize, stains=False), data.patches),
    }


@contextmanager
def reader(size: int) -> Iterator[Rivals]:
    import h5py

    from benchmarks.reader import BATCH, COUNTS, epoch, make
    from data_prep.store import open_patches

    with tempfile.TemporaryDirectory() as folder:
        path, count, random = Path(folder) / "store.h5", COUNTS[size], np.random.default_rng(0)
        make(path, size, count)
        dataset, ours = h5py.File(path)["patches"], epoch(open_patches(path))
        yield {
            OURS: (lambda: ours(random), count),
            "h5py fancy indexing": (lambda: dataset[np.sort(random.choice(count, BATCH, replace=False))], BATCH),
        }


@contextmanager
def texture(name: str) -> Iterator[Rivals]:
    from benchmarks.concepts import RIVALS

    data, (ours, peer) = synthetic(), RIVALS[name]
    shown = data.masks.any((1, 2))
    images, masks = data.patches[shown], data.masks[shown]
    yield {OURS: each(ours, images, masks), "scikit-image": each(peer, images, masks)}


@contextmanager
def nuclei() -> Iterator[Rivals]:
    from benchmarks.nuclei import plain
    from data_prep.nuclei import segment

    patches = synthetic().patches
    yield {
        OURS: each(lambda image: segment(image, 0.25), patches),
        "HED + Otsu + watershed": each(lambda image: plain(image, 0.25), patches),
    }


@contextmanager
def epoch(trainable: str) -> Iterator[Rivals]:
    from benchmarks.epoch import BATCH, rivals_of

    with tempfile.TemporaryDirectory() as folder:
        options = Namespace(backbone="InceptionV3", trainable=trainable, patches=2 * BATCH)
        found = {name: (partial(rival.step, 1), BATCH) for name, rival in rivals_of(Path(folder), options).items()}
        yield {OURS: found.pop("from the cache"), **found}


@contextmanager
def bootstrap() -> Iterator[Rivals]:
    from benchmarks.bootstrap import LOOP_RESAMPLES, loop, make_case
    from mta.evaluation import clustered_bootstrap
    from mta.evaluation.bootstrap import RESAMPLES

    case = make_case(4_000, 50)
    yield {
        OURS: (lambda: clustered_bootstrap(*case), RESAMPLES),
        "a loop over scikit-learn": (lambda: loop(*case), LOOP_RESAMPLES),
    }


@contextmanager
def start(command: str) -> Iterator[Rivals]:
    def run(*arguments: str) -> tuple[Work, int]:
        return lambda: subprocess.run([sys.executable, *arguments], capture_output=True, check=True), 1

    yield {
        OURS: run("-m", *command.split(), "--help"),
        "python -c pass": run("-c", "pass"),
        "import tensorflow": run("-c", "import tensorflow"),
    }


# What it is about -> (unit, rounds, row).
ROWS: dict[str, tuple[str, int, Callable[[], AbstractContextManager[Rivals]]]] = {
    "Reinhard, 224 px": ("patch", 9, reinhard),
    "Macenko, 224 px": ("patch", 9, macenko),
    "reading in training order, 96 px": ("patch", 7, partial(reader, 96)),
    "reading in training order, 224 px": ("patch", 7, partial(reader, 224)),
    "texture of the patch": ("patch", 9, partial(texture, "texture of the patch")),
    "texture of the nuclei": ("patch", 9, partial(texture, "texture of the nuclei")),
    "shapes of the nuclei": ("patch", 9, partial(texture, "shapes of the nuclei")),
    "segmentation of nuclei": ("patch", 7, nuclei),
    "training step, InceptionV3, five convolutions": ("patch", 5, partial(epoch, "paper")),
    "training step, InceptionV3, frozen": ("patch", 5, partial(epoch, "none")),
    "2,000 resamples of 50 patients": ("resample", 5, bootstrap),
    "--help of mta.train": ("start", 5, partial(start, "mta.train")),
    "--help of data_prep extract": ("start", 5, partial(start, "data_prep extract")),
}


def one_thread() -> None:
    """Keep OpenCV to one thread, as its rivals are."""
    cv2.setNumThreads(1)
