"""Normalizers by name, from files, and from the texts that stores carry."""

from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.stain.files import parse_fields, read_fields
from data_prep.stain.macenko import Macenko
from data_prep.stain.reinhard import Reinhard
from data_prep.stain.vahadane import Vahadane

Normalizer = Reinhard | Macenko | Vahadane
METHODS: dict[str, type[Reinhard] | type[Macenko] | type[Vahadane]] = {
    kind.method: kind for kind in (Reinhard, Macenko, Vahadane)
}


def make_normalizer(method: str) -> Normalizer:
    """A normalizer of `METHODS` without a fitted reference; `InputError` for another name."""
    if method not in METHODS:
        raise InputError(f"there is no stain normalization {method!r}; use one of {', '.join(METHODS)}")
    return METHODS[method]()


def load_normalizer(path: str | Path) -> Normalizer:
    """The normalizer of any method that `save` wrote to `path`; `InputError` if there is none."""
    return _from_fields(read_fields(path), str(path))


def parse_normalizer(text: str, where: str) -> Normalizer:
    """The normalizer in a store's attribute `stain`; `InputError` that names `where` if there is none."""
    return _from_fields(parse_fields(text, where), where)


def _from_fields(fields: dict[str, Any], where: str) -> Normalizer:
    method = fields.get("method")
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"{where}: does not describe a stain normalizer ({', '.join(METHODS)}); write it with save")
    return METHODS[method].from_fields(fields, where)
