"""Hashes that differ in few bits, found without comparing each with each.

Multi-index hashing (Norouzi, Punjani and Fleet 2012, doi:10.1109/CVPR.2012.6248043): of the four 16-bit words of two
hashes that differ in at most d bits, one differs in at most d // 4. So it is enough to look, word by word, under all
words that near: nothing within d is missed.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

_WORDS, _BITS = 4, 16
_CHUNK = 1 << 18  # look-ups at a time


def close_pairs(queries: np.ndarray, targets: np.ndarray, distance: int) -> Iterator[np.ndarray]:
    """Every pair (query, target) of uint64 hashes that differ in at most `distance` bits, at least once.

    `queries` (q,), `targets` (t,). Yields blocks (k, 3) int64 of number of the query, number of the target and bits
    that differ; a pair that several words betray comes several times.
    """
    for word in range(_WORDS):
        index = _Index(_word(targets, word))
        nearby = _nearby(distance // _WORDS)
        step = max(1, _CHUNK // len(nearby))
        for start in range(0, len(queries), step):
            keys = _word(queries[start : start + step], word)
            lookup, target = index.find((keys[:, None] ^ nearby).ravel())
            query = start + lookup // len(nearby)
            bits = np.bitwise_count(queries[query] ^ targets[target])
            near = bits <= distance
            yield np.stack([query[near], target[near], bits[near]], axis=1).astype(np.int64)


class _Index:
    """The places of every 16-bit word."""

    def __init__(self, words: np.ndarray) -> None:
        self._order = np.argsort(words, kind="stable")
        self._starts = np.r_[0, np.cumsum(np.bincount(words, minlength=1 << _BITS))]

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which key (k,) has which word (k,), for every match."""
        starts = self._starts[keys]
        counts = self._starts[keys.astype(np.int64) + 1] - starts
        number = np.repeat(np.arange(len(keys)), counts)
        within = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
        return number, self._order[starts[number] + within]


def _word(hashes: np.ndarray, number: int) -> np.ndarray:
    return (hashes >> np.uint64(_BITS * number) & np.uint64(0xFFFF)).astype(np.uint16)


def _nearby(radius: int) -> np.ndarray:
    """All 16-bit words with at most `radius` bits set."""
    chosen = [bits for count in range(radius + 1) for bits in combinations(range(_BITS), count)]
    return np.array([sum(1 << bit for bit in bits) for bits in chosen], dtype=np.uint16)
