"""YAML in which nothing stands twice, and names that may be folders."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from data_prep.errors import InputError

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")


class _Once(yaml.SafeLoader):
    """Safe YAML that refuses a key that is there already, where YAML silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of `node`."""
        seen: set[Any] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise InputError(f"line {key.start_mark.line + 1}: {name} stands twice")
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_mapping(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        InputError: when there is no such file, it is no mapping, or a key stands twice.
    """
    try:
        loader = _Once(Path(path).read_text(encoding="utf-8"))
        values = loader.get_single_data()
    except (OSError, ValueError, RecursionError, TypeError, yaml.YAMLError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict) or any(not isinstance(key, str) for key in values):
        raise InputError("holds no study; write lines like 'data: patches.h5' and 'rows:'")
    return values


def require_one_of(name: Any, known: Iterable[str], what: str, where: str = "") -> None:
    """Raise InputError, offering the nearest names, unless `name` is one of `known`."""
    names = list(known)
    if name in names:
        return
    near = difflib.get_close_matches(str(name), names, 3)
    offer = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(names)}"
    raise InputError(f"{where}unknown {what} {name!r}; {offer}")


def require_name(name: Any) -> None:
    """Raise InputError unless `name` can be the name of a row, and of its folder."""
    if not isinstance(name, str) or not _SAFE.fullmatch(name) or name.endswith("."):
        raise InputError(f"row {name!r}: names become folders; take letters, digits, and _ . + - within (64 at most)")
