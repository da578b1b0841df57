"""What a flat store says of its making: JSON texts beside the patches."""

import json
from collections.abc import Iterable
from pathlib import Path

import h5py

from data_prep.errors import InputError
from data_prep.store.flat import ATTRIBUTES, is_flat
from data_prep.store.guard import own_dataset
from data_prep.store.handle import reading
from data_prep.store.sealed import damage, text_in


def read_attribute(path: str | Path, name: str) -> str | None:
    """The JSON text `name` (of `ATTRIBUTES`) of the flat store `path`; None where it has none.

    Raises `InputError` where `path` is no HDF5 file, and where the text is not JSON.
    """
    with reading(Path(path)) as file:
        return store_attributes(file).get(name)


def store_attributes(file: h5py.File) -> dict[str, str]:
    """The JSON texts of an open file; empty where it is no flat store."""
    found = {name: own_dataset(file, f"made/{name}") for name in ATTRIBUTES} if is_flat(file) else {}
    return {name: _json(file, name, dataset) for name, dataset in found.items() if dataset is not None}


def _json(file: h5py.File, name: str, dataset: h5py.Dataset) -> str:
    if problem := damage(dataset):
        raise InputError(f"{file.filename}: {problem}")
    try:
        json.loads(text := text_in(dataset))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{file.filename}: made/{name} is not JSON; make the store again") from error
    return text


def shared_attributes(each: Iterable[dict[str, str]]) -> dict[str, str]:
    """The texts on which all of several files agree."""
    first, *others = each
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}


def differing_attributes(paths: Iterable[Path]) -> list[str]:
    """The names of the texts on which the files `paths` do not agree, so that none can stand for all of them."""
    each = []
    for path in paths:
        with reading(path) as file:
            each.append(store_attributes(file))
    return sorted({name for texts in each for name in texts} - set(shared_attributes(each)))
