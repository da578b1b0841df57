"""A scale from numbers to pixels, with ticks at round numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """From `low` to `high` (above it), called `label`; `ticks` are marked, by `names` where they are given.

    A `bare` axis has no mark: its numbers mean nothing.
    """

    low: float
    high: float
    label: str = ""
    ticks: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    bare: bool = False

    def places(self, values: ArrayLike, start: float, stop: float) -> np.ndarray:
        """Pixels (n,) of `values` (n,) on a line from `start` to `stop`; what lies outside is put at its end."""
        shares = (np.ravel(values).astype(float) - self.low) / (self.high - self.low)
        return start + np.clip(shares, 0, 1) * (stop - start)

    def marks(self) -> list[tuple[float, str]]:
        """(value, text) of each tick."""
        if self.bare:
            return []
        values = self.ticks or round_ticks(self.low, self.high)
        return list(zip(values, self.names or [_short(value) for value in values], strict=True))


def spanning(values: ArrayLike, label: str = "", whole: bool = False, floor: float | None = None) -> Axis:
    """An axis around the finite `values` (n,), with a little room; `whole`: ticks at whole numbers alone.

    `floor`: the lowest it may begin, so that a few low values do not flatten the rest.
    """
    known = np.ravel(values).astype(float)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    low = low if floor is None else max(low, floor)
    room = 0.04 * (high - low) or max(abs(high), 1.0) * 0.04
    low, high = low - room, max(high, low) + room
    ticks = tuple(tick for tick in round_ticks(low, high) if not whole or tick == round(tick))
    return Axis(low, high, label, ticks)


def round_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """At most `most` round numbers from `low` to `high`."""
    rough = (high - low) / most
    scale = 10 ** np.floor(np.log10(rough))
    step = scale * next(step for step in _STEPS if step * scale >= rough * (1 - 1e-9))
    first = np.ceil(low / step - 1e-9)
    return tuple(float(f"{number * step:.10g}") + 0.0 for number in np.arange(first, np.floor(high / step + 1e-9) + 1))


def _short(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{float(digits):g}e{int(power)}"


def unit_axis(label: str, ticks: Sequence[float] = (0, 0.2, 0.4, 0.6, 0.8, 1)) -> Axis:
    """From 0 to 1."""
    return Axis(0, 1, label, tuple(ticks))
