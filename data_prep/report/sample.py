"""A look at the pixels: a seeded sample of each centre, read in blocks, so that memory does not grow with the store."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pandas as pd

from data_prep.report.summaries import centre_names, class_names
from data_prep.splits.phash import fingerprints
from data_prep.stain.lab import OFFSET, SCALE
from data_prep.store import Patches

SHOWN, MOST_CENTRES = 8, 24
_SIDE = 112
_A_CENTRE, _IN_ALL = 200, 2000


@dataclass
class Look:
    """What was seen of one centre.

    `sheets`: thumbnails (k, 112, 112, 3) of each class. `means`, `stds`: (n, 3), LAB of the sampled patches, L 0..100,
    a and b -128..127. `flat`: how many of them are blank or nearly so.
    """

    sheets: dict[str, np.ndarray] = field(default_factory=dict)
    means: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    stds: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    flat: int = 0


def look_at(patches: Patches, seed: int) -> dict[str, Look]:
    """A `Look` at each centre, by name: at most 200 patches for the stain, 8 a class shown, the first 24 centres."""
    generator = np.random.default_rng(seed)
    centres = centre_names(patches.rows)
    names = sorted(set(centres))[:MOST_CENTRES]
    count = max(20, min(_A_CENTRE, _IN_ALL // len(names)))
    return {name: _look(patches, np.flatnonzero(centres == name), count, generator) for name in names}


def _look(patches: Patches, rows: np.ndarray, count: int, generator: np.random.Generator) -> Look:
    chosen = np.sort(generator.permutation(rows)[:count])
    moments, flat = [], 0
    for start in range(0, len(chosen), patches.block):
        block = patches.take(chosen[start : start + patches.block])
        moments += [_moments(patch) for patch in block]
        flat += int(fingerprints(block).flat().sum())
    means, stds = np.array(moments).transpose(1, 0, 2)
    return Look(_sheets(patches, rows, generator), means, stds, flat)


def _moments(patch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, std = (np.ravel(moment) for moment in cv2.meanStdDev(cv2.cvtColor(patch, cv2.COLOR_RGB2LAB)))
    return (mean - OFFSET) / SCALE, std / SCALE


def _sheets(patches: Patches, rows: np.ndarray, generator: np.random.Generator) -> dict[str, np.ndarray]:
    table = patches.rows.iloc[rows]
    groups = table.groupby(class_names(table)).groups
    return {str(name): _thumbnails(patches, _varied(table.loc[members], generator)) for name, members in groups.items()}


def _varied(table: pd.DataFrame, generator: np.random.Generator) -> np.ndarray:
    """Up to `SHOWN` rows, of as many patients as possible."""
    shuffled = table.iloc[generator.permutation(len(table))]
    turn = shuffled.groupby("patient").cumcount().to_numpy()
    return np.sort(shuffled.index.to_numpy()[np.argsort(turn, kind="stable")][:SHOWN])


def _thumbnails(patches: Patches, rows: np.ndarray) -> np.ndarray:
    small = [cv2.resize(patches[int(row)], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for row in rows]
    return np.stack(small)
