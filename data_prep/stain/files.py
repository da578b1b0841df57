"""Stain files: one normalizer as JSON, in a file of its own or as a text inside a store."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from data_prep.errors import InputError
from data_prep.files import write_json

LARGEST = 64 * 2**20
"""Bytes of a stain file beyond which it is something else."""


def read_fields(path: str | Path) -> dict[str, Any]:
    """The JSON object in the stain file `path`; `InputError` if it is missing or something else."""
    try:
        if Path(path).stat().st_size > LARGEST:
            raise InputError(f"{path}: too large for a stain file; name the JSON that a normalizer saved")
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable stain file ({error}); write it with save of a normalizer") from error
    return parse_fields(text, str(path))


def parse_fields(text: str, where: str) -> dict[str, Any]:
    """The JSON object in `text`; `InputError` that names `where` if it is none."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a readable stain file ({error}); write it with save of a normalizer") from error
    if not isinstance(fields, dict):
        raise InputError(f"{where}: does not describe a stain normalizer; write it with save of a normalizer")
    return fields


class Saved(ABC):
    """A normalizer that stain files describe."""

    method: ClassVar[str]
    """Its name in stain files."""
    damage: ClassVar[str]
    """What must be wrong with a file whose method is right and whose target is none, in words."""

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """Method and target, as JSON types; `InputError` before there is a target."""

    @classmethod
    @abstractmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The normalizer with the target in `fields`; raises where it is missing or wrong."""

    def save(self, path: str | Path) -> None:
        """Write method and target to `path` as JSON."""
        write_json(path, self.fields())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The normalizer that `save` wrote to `path`; `InputError` if the file is missing or something else."""
        return cls.from_fields(read_fields(path), str(path))

    @classmethod
    def from_fields(cls, fields: dict[str, Any], where: str) -> Self:
        """The normalizer that `fields` describe; `InputError` that names `where` if they describe something else."""
        name = cls.__name__
        if fields.get("method") != cls.method:
            raise InputError(f"{where}: does not describe a {name} normalizer; write it with {name}.save")
        try:
            return cls.parse(fields)
        except (KeyError, TypeError, ValueError, OverflowError, InputError) as error:
            raise InputError(f"{where}: {cls.damage} ({error}); write it again") from error
