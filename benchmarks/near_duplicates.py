"""Near-duplicate search: rates, and what its thresholds find and raise falsely on given stores.

    python benchmarks/near_duplicates.py STORE.h5 [STORE.h5 ...]

Printed for each store: how many pairs of different patches lie at each distance of the hashes (all eight views) and
their highest likeness, which are false alarms where the store has no copies; and the share of copies found after JPEG
(quality 80), 5 % more brightness, a quarter turn, a shift of 4 pixels, and all of these. Then patches a second against
ImageHash, and the seconds of the search among 140,000 random hashes.
"""

import io
import sys
import time
from collections.abc import Callable

import cv2
import imagehash
import numpy as np
from PIL import Image

from data_prep.splits import near
from data_prep.splits.phash import Fingerprints, fingerprints
from data_prep.store import open_patches

MOST, SHIFT, ROUNDS = 2400, 4, 5


def jpeg(patch: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(patch).save(file, "JPEG", quality=80)
    return np.asarray(Image.open(file))


def bright(patch: np.ndarray) -> np.ndarray:
    return (patch * 1.05).clip(0, 255).astype(np.uint8)


def turned(patch: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(patch))


def shifted(patch: np.ndarray) -> np.ndarray:
    moved = cv2.copyMakeBorder(patch, SHIFT, 0, SHIFT, 0, cv2.BORDER_REFLECT)
    return np.ascontiguousarray(moved[: patch.shape[0], : patch.shape[1]])


def everything(patch: np.ndarray) -> np.ndarray:
    return turned(bright(shifted(jpeg(patch))))


CHANGES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (jpeg, bright, turned, shifted, everything)


def found(prints: Fingerprints, copies: Fingerprints) -> float:
    """Share of patches whose copy is called a near-duplicate."""
    bits = np.bitwise_count(copies.hashes ^ prints.hashes[:, :1])
    view = bits.argmin(axis=1)
    everyone = np.arange(len(view))
    alike = likeness(copies.thumbs, view, prints.thumbs)
    return float(((bits[everyone, view] <= near.DISTANCE) & (alike >= near.ALIKE)).mean())


def likeness(first: np.ndarray, view: np.ndarray, second: np.ndarray) -> np.ndarray:
    both = np.concatenate([first, second])
    count = len(first)
    return near._likeness(both, np.arange(count), view, np.arange(count, 2 * count))


def alarms(prints: Fingerprints) -> None:
    """Pairs at each distance among different patches, and the highest likeness there."""
    counts, highest = np.zeros(65, int), np.full(65, -1.0)
    for first in range(len(prints.hashes) - 1):
        bits = np.bitwise_count(prints.hashes[first][:, None] ^ prints.hashes[first + 1 :, 0])
        nearest = bits.min(axis=0)
        counts += np.bincount(nearest, minlength=65)
        close = np.flatnonzero(nearest <= 16)
        alike = likeness(
            np.repeat(prints.thumbs[[first]], len(close), 0),
            bits.argmin(axis=0)[close],
            prints.thumbs[first + 1 :][close],
        )
        np.maximum.at(highest, nearest[close], alike)
    for distance in np.flatnonzero(counts[:17]):
        print(
            f"  {counts[distance]} of {counts.sum()} pairs at {distance} bits, likeness up to {highest[distance]:.2f}"
        )


def rates(patches: np.ndarray) -> None:
    """Median patches a second of this module (eight views) and of ImageHash (one), in turn."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        fingerprints(patches)
        middle = time.perf_counter()
        for patch in patches:
            imagehash.phash(Image.fromarray(patch))
        ours.append(middle - start)
        theirs.append(time.perf_counter() - middle)
    ratio = np.median(np.array(theirs) / np.array(ours))
    ours_rate, their_rate = (len(patches) / np.median(times) for times in (ours, theirs))
    print(f"  {ours_rate:.0f} patches/s in eight views, ImageHash {their_rate:.0f} in one: {ratio:.1f}x")


def search_time(count: int = 140_000) -> None:
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, (count, 8), dtype=np.uint64)
    thumbs = generator.integers(0, 256, (count, 16, 16), dtype=np.uint8)
    groups = generator.choice(3, count, p=[0.7, 0.15, 0.15])
    start = time.perf_counter()
    near.search(Fingerprints(hashes, thumbs), groups)
    print(f"search among {count} random hashes, 70/15/15 %: {time.perf_counter() - start:.1f} s")


def main() -> None:
    for path in sys.argv[1:]:
        with open_patches(path) as store:
            patches = store.read(0, min(MOST, len(store)))
        prints = fingerprints(patches)
        print(f"{path}: {len(patches)} patches of {patches.shape[1]} px, {int(prints.flat().sum())} flat")
        alarms(prints)
        for change in CHANGES:
            copies = fingerprints(np.stack([change(patch) for patch in patches]))
            print(f"  {change.__name__}: {found(prints, copies):.3f} of the copies found")
        rates(patches[:400])
    search_time()


if __name__ == "__main__":
    main()
