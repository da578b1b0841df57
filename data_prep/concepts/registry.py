"""Concepts of the user's own."""

import math
import re
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.concepts.catalog import BUILT_IN, Concept
from data_prep.concepts.control import RANDOM
from data_prep.concepts.patch import Patch
from data_prep.errors import InputError

Function = Callable[[np.ndarray, Any, float], float]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_REGISTERED: dict[str, Concept] = {}
_LOADED: dict[Path, tuple[str, ...]] = {}


def register(
    name: str, unit: str, description: str = "", *, needs_nuclei: bool = True
) -> Callable[[Function], Function]:
    """A decorator that makes a function `(image, labels, mpp) -> number` the concept `name`, in `unit`.

    The function gets a read-only patch (h, w, 3) RGB `uint8`, the label map of its nuclei (h, w) (None with
    `needs_nuclei=False`), and micrometres a pixel (NaN where unknown). NaN stands for an absent value. `InputError`
    where the name is none (letters, digits, underscores) or is taken.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"a concept cannot be named {name!r}; use letters, digits and underscores")
    if name in BUILT_IN or name in _REGISTERED or name == RANDOM:
        raise InputError(f"there is a concept {name} already; give yours another name")

    def keep(function: Function) -> Function:
        _REGISTERED[name] = Concept(name, unit, description, _Own(name, function), needs_nuclei)
        return function

    return keep


class _Own:
    """A user's function as a measurer: whatever goes wrong in it is one line."""

    def __init__(self, name: str, function: Function) -> None:
        self._name, self._function = name, function

    def __call__(self, patch: Patch) -> dict[str, float]:
        try:
            value = self._function(patch.image, patch.labels, patch.mpp)
        except (Exception, SystemExit) as error:
            raise InputError(f"the concept {self._name} failed ({_in_words(error)}); mend its function") from error
        return {self._name: self._number(value)}

    def _number(self, value: Any) -> float:
        if not isinstance(value, Real) or math.isinf(value):
            raise InputError(
                f"the concept {self._name} gave {value!r}; it must be one finite number, or NaN for absent"
            )
        return float(value)


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")


def unregister(name: str) -> None:
    """Forget the user's concept `name`, so that it can be registered again."""
    _REGISTERED.pop(name, None)


def known() -> dict[str, Concept]:
    """All concepts by name: the built-in ones, then the registered ones."""
    return BUILT_IN | _REGISTERED


def chosen(names: Iterable[str] | None = None) -> dict[str, Concept]:
    """The concepts `names` in that order, or all `known` ones; `InputError` for an unknown name."""
    concepts = known()
    wanted = concepts if names is None else list(dict.fromkeys(names))
    if strange := [name for name in wanted if name not in concepts]:
        raise InputError(f"there is no concept {', '.join(strange)}; there are {', '.join(concepts)}, and {RANDOM}")
    return {name: concepts[name] for name in wanted}


def load_plugin(path: Path) -> tuple[str, ...]:
    """Run the Python file `path`, code of the user's own, and return the names of the concepts that it registers.

    Run again in the same process, it replaces its concepts. `InputError` where it is absent, fails, or registers none.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; name a Python file that registers concepts")
    for name in _LOADED.pop(path.resolve(), ()):
        unregister(name)
    before = set(_REGISTERED)
    try:
        _run(path)
    except InputError as error:
        _forget_all_but(before)
        raise InputError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        _forget_all_but(before)
        raise InputError(f"{path}: cannot be run ({_in_words(error)}); mend it") from error
    if not (names := tuple(name for name in _REGISTERED if name not in before)):
        raise InputError(f"{path}: registers no concept; decorate a function with data_prep.concepts.register")
    _LOADED[path.resolve()] = names
    return names


def _run(path: Path) -> None:
    loader = SourceFileLoader(f"mta_concepts_{path.stem}", str(path))
    module = module_from_spec(ModuleSpec(loader.name, loader, origin=str(path)))
    loader.exec_module(module)


def _forget_all_but(names: set[str]) -> None:
    for name in set(_REGISTERED) - names:
        unregister(name)
