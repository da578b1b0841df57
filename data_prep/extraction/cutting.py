"""From places to patches: read in blocks, judged one after the other."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np

from data_prep.sampling import Judge

# Patches read at once: a multiple of the store's chunks, fewer where they are large (24 MiB).
_MOST, _BYTES = 128, 24 << 20
# Rows of this many level-0 pixels are read from left to right, so that neighbors find their tiles decoded.
BAND = 512

Read = Callable[[int, int], np.ndarray]
Piece = tuple[np.ndarray, np.ndarray]


def block_of(size: int) -> int:
    """How many patches of `size` pixels a side to hold at once."""
    return max(1, min(_MOST, _BYTES // (3 * size * size)))


def cut(
    places: Iterable[np.ndarray], judge: Judge, wanted: int | None, read: Read, block: int, as_original: bool = False
) -> Iterator[Piece]:
    """Pieces of corners (k, 2) and patches (k, h, w, 3) uint8 of those `places` that `judge` keeps, in their order.

    `wanted`: patches in all, None for every place. `read(x, y)` gives a patch; `block` are read at once, which changes
    nothing in what comes out. Where too few are found, those refused as white are looked at again while the judge
    relaxes. `as_original`: they are not, and patches that are too dark count as found before they are left out. Ends
    when the judge is exhausted at the latest.
    """
    found, white = 0, _White(judge)
    for source in chain([places], () if as_original else white):
        queue = _Queue(source)
        while len(corners := queue.take(block if wanted is None else min(block, wanted - found))):
            patches = _read_all(corners, read)
            reasons = _judged(corners, patches, judge, white)
            found += sum(reason == "" or (as_original and reason == "dark") for reason in reasons)
            kept = [number for number, reason in enumerate(reasons) if not reason]
            if kept:
                yield corners[kept], patches if len(kept) == len(patches) else patches[kept]
            if judge.exhausted or found == wanted:
                return


class _White:
    """Places refused as white. Iterating gives those that will do by now, then more with each step of the judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._held: list[tuple[float, np.ndarray]] = []

    def hold(self, corner: np.ndarray) -> None:
        """Remember the place of the patch just judged."""
        self._held.append((self._judge.white, corner))

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        while self._held and not self._judge.exhausted:
            again = [corner for share, corner in self._held if share <= self._judge.share]
            self._held = [(share, corner) for share, corner in self._held if share > self._judge.share]
            self._judge.refused["white"] -= len(again)
            if again:
                yield [np.stack(again)]
            if not self._judge.relax():
                return


def _judged(corners: np.ndarray, patches: np.ndarray, judge: Judge, white: _White) -> list[str]:
    """The verdicts on `patches` until the judge is exhausted."""
    reasons: list[str] = []
    for corner, patch in zip(corners, patches, strict=True):
        if judge.exhausted:
            break
        reasons.append(judge.verdict(patch))
        if reasons[-1] == "white":
            white.hold(corner)
    return reasons


def _read_all(corners: np.ndarray, read: Read) -> np.ndarray:
    order = np.lexsort((corners[:, 0], corners[:, 1] // BAND))
    first = read(int(corners[order[0], 0]), int(corners[order[0], 1]))
    patches = np.empty((len(corners), *first.shape), np.uint8)
    patches[order[0]] = first
    for number in order[1:]:
        patches[number] = read(int(corners[number, 0]), int(corners[number, 1]))
    return patches


class _Queue:
    """Places of any number of blocks, taken as many at a time as are wanted."""

    def __init__(self, blocks: Iterable[np.ndarray]) -> None:
        self._blocks, self._rest = iter(blocks), np.zeros((0, 2), np.int64)

    def take(self, count: int) -> np.ndarray:
        """The next `count` corners, fewer at the end."""
        while len(self._rest) < count and (block := next(self._blocks, None)) is not None:
            self._rest = np.concatenate([self._rest, block])
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken
