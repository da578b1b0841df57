"""Stain files: one normalizer as JSON, in a file of its own or as a text inside a store."""

import json
from pathlib import Path
from typing import Any

from data_prep.errors import InputError

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
