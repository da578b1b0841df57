"""What a slide is read from, whatever the library."""

from pathlib import Path
from typing import Protocol

import numpy as np

from data_prep.errors import InputError


class Source(Protocol):
    """An open slide file: levels, and pixels of any box within a level, for any number of threads at once."""

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of each level, largest first."""
        ...

    @property
    def bounds(self) -> tuple[int, int]:
        """(x, y) where the scanned area begins, level-0 pixels."""
        ...

    @property
    def notes(self) -> frozenset[str]:
        """What had to be changed for the pixels to be RGB uint8, in the words of `data_prep.store.images`."""
        ...

    def mpp(self) -> float | None:
        """Micrometres a level-0 pixel as the file has it, None where it has none; `InputError` where it is no scale."""
        ...

    def region(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """RGB uint8 (height, width, 3) from (x, y), in pixels of `level` and within it; `InputError` where damaged."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class RefusedError(Exception):
    """A library cannot open a file: the reason in a few words, for a line that names all that were tried."""


def damaged(path: Path, x: int, y: int, error: Exception | str) -> InputError:
    """The line for pixels at (x, y) that cannot be decoded."""
    reason = " ".join(str(error).split())
    return InputError(
        f"{path}: cannot be read at x {x}, y {y} ({reason}); the file is damaged or cut short: copy it again"
    )
