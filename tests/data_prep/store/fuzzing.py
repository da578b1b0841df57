"""Reads damaged files in processes that may crash or hang, and holds what comes out against the truth.

A child is forked for a share of the files and writes a line before and after each; when one takes too long the child is
ended, and another goes on after that file.
"""

import ctypes
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store import open_concepts, open_patches
from data_prep.store.verify import verify

GARBAGE = "other data, without a word"
PATIENCE = 20  # seconds for one file
Mutation = Callable[[bytes], bytes]


def contents(path: Path) -> dict[str, object]:
    """Everything that the readers give of a file."""
    found: dict[str, object] = {}
    table = open_concepts(path)
    if not isinstance(table.index, pd.MultiIndex):
        with open_patches(path) as patches:
            found = {"rows": patches.rows, "origin": patches.origin, "made": patches.attributes}
            found["pixels"] = patches.read(0, len(patches))
            found["again"] = patches.take(np.arange(len(patches))[::-1])
            if patches.mask_shape:
                found["masks"] = patches.read_masks(0, len(patches))
    return found | {"concepts": table, "attributes": table.attrs}


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    """Whether two `contents` are equal in every value."""
    return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())


def _same(one: object, other: object) -> bool:
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


def verdict(path: Path, truth: dict[str, object]) -> str:
    """ "right", "refused" or what is wrong with how the readers and `verify` take the damaged file `path`."""
    try:
        found = contents(path)
    except InputError as error:
        if "\n" in str(error) or str(path) not in str(error):
            return f"not one line naming the file: {error}"
        if not any(finding.problem for finding in verify([path])):
            return f"refused, but not by verify: {error}"
        return "refused"
    return "right" if same(found, truth) else GARBAGE


def judge(folder: Path, sound: Path, mutations: list[Mutation]) -> list[str]:
    """The verdict on each mutation of the file `sound`; also "crashed" and "hangs"."""
    truth, data, verdicts = contents(sound), sound.read_bytes(), []
    while len(verdicts) < len(mutations):
        verdicts += _share(folder, data, truth, mutations[len(verdicts) :])
    return verdicts


def _share(folder: Path, data: bytes, truth: dict[str, object], mutations: list[Mutation]) -> list[str]:
    """The verdicts of one child, until it crashes or hangs."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        _child(folder, data, truth, mutations, into)
    os.close(into)
    verdicts: list[str] = []
    with os.fdopen(out, "rb", buffering=0) as lines:
        while len(verdicts) < len(mutations):
            if not select.select([lines], [], [], PATIENCE)[0]:
                os.kill(child, signal.SIGKILL)
                verdicts.append("hangs")
                break
            line = lines.readline()
            verdicts.append(line.decode().strip() or "crashed")
            if not line:
                break
    os.waitpid(child, 0)
    return verdicts


def _child(folder: Path, data: bytes, truth: dict[str, object], mutations: list[Mutation], into: int) -> None:
    _spoil_new_memory()
    path = folder / f"{os.getpid()}.h5"
    for mutate in mutations:
        path.write_bytes(mutate(data))
        try:
            text = verdict(path, truth)
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(into, (" ".join(text.split()) + "\n").encode())
    path.unlink()
    os._exit(0)


def _spoil_new_memory() -> None:
    """Makes HDF5 crash on memory that it never filled in whatever process, not only where it is not zero by chance."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # glibc
        mallopt(-6, 0xA5)  # M_PERTURB


def flips(seed: int) -> Mutation:
    """One to four bits anywhere."""

    def mutate(data: bytes) -> bytes:
        random, changed = np.random.default_rng(seed), bytearray(data)
        for place in random.integers(0, len(data), random.integers(1, 5)):
            changed[place] ^= 1 << random.integers(8)
        return bytes(changed)

    return mutate


def burst(seed: int) -> Mutation:
    """A stretch of up to 512 bytes of noise, zeros or ones."""

    def mutate(data: bytes) -> bytes:
        random, changed = np.random.default_rng(seed), bytearray(data)
        start = int(random.integers(len(data)))
        stop = min(len(data), start + int(random.integers(1, 513)))
        noise = [random.bytes(stop - start), bytes(stop - start), b"\xff" * (stop - start)]
        changed[start:stop] = noise[seed % 3]
        return bytes(changed)

    return mutate


def cut(length: int) -> Mutation:
    """The file ends after `length` bytes."""
    return lambda data: data[:length]
