"""Pictures to be looked at, as PNG."""

from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.errors import InputError
from data_prep.files import replacing, require_destination

if TYPE_CHECKING:
    import numpy as np


def require_png(path: Path | None, flag: str) -> None:
    """Raise `InputError` where the picture that `flag` asks for, if any, cannot be put at `path`."""
    if path is None:
        return
    require_destination(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"{flag} {path}: the picture is a PNG; end its name with .png")


def write_png(path: Path, picture: "np.ndarray", durable: bool = True) -> None:
    """Write `picture` (h, w, 3) RGB `uint8` to `path`, whole or not at all (`durable` as in `files.replacing`)."""
    import cv2

    with replacing(path, durable) as temporary:
        temporary.write_bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())
