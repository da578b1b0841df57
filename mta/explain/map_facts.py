"""What is measured of the maps of a patch, and its means."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mta.explain.agreement import area_share, energy_inside, pointing_game
from mta.explain.attribution import Heads
from mta.explain.patient_means import patient_mean
from mta.explain.perturbing import GLASS, area_under, deletion_curve, ranks
from mta.explain.sharpness import sharpness

PERTURBATIONS = 16
CURVES = ("deletion", "insertion")


def agreement_facts(maps: np.ndarray, masks: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Measure -> (values (n,), their chance level (n,)) of `maps` (n, h, w) on `masks`; NaN where a mask is empty."""
    chance = np.where(masks.any(axis=(1, 2)), area_share(masks), np.nan)
    known = np.where(np.isnan(chance), np.nan, 1.0)
    return {
        "pointing game": (pointing_game(maps, masks) * known, chance),
        "energy inside": (energy_inside(maps, masks) * known, chance),
    }


def sharpness_facts(maps: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """As `agreement_facts`; there is no chance level."""
    return {name: (values, np.full(len(maps), np.nan)) for name, values in sharpness(maps).items()}


class Perturbation:
    """Deletion and insertion on `images` (n, h, w, 3), towards and from `GLASS`.

    Scores: probability of tumor, probability of the centre `classes` (n,), standardized concepts.
    """

    def __init__(self, heads: Heads, images: np.ndarray, classes: np.ndarray, seed: int) -> None:
        self._heads, self._classes, self._seed, self._shape = heads, classes, seed, images.shape[:3]
        glass = np.full_like(images, GLASS)
        self._ways = dict(zip(CURVES, ((images, glass), (glass, images)), strict=True))

    def curves(self, maps: np.ndarray, head: int) -> Iterator[tuple[str, np.ndarray]]:
        """(deletion or insertion, scores (points, n)) of the head of that number in the order of `maps` (n, h, w)."""
        places = ranks(maps, self._seed)
        for name, (source, substitute) in self._ways.items():
            yield name, deletion_curve(lambda x: self._scores(x)[head], source, places, substitute, PERTURBATIONS)

    def random_curves(self) -> dict[str, np.ndarray]:
        """Curve -> scores (points, T, n) of all heads, in a random order of pixels."""
        places = ranks(np.zeros(self._shape), self._seed)
        return {
            name: deletion_curve(self._scores, source, places, substitute, PERTURBATIONS)
            for name, (source, substitute) in self._ways.items()
        }

    def _scores(self, images: np.ndarray) -> np.ndarray:
        scores = self._heads.scores([images], self._classes).astype(float)
        for number, name in enumerate(self._heads.names):
            if name == "tumor":
                scores[number] = 1 / (1 + np.exp(-scores[number]))
            elif name == "domain":
                scores[number] = np.exp(scores[number])
        return scores


def curve_facts(curve: np.ndarray, random: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(area under `curve` (points, n), that under `random`, which is chance), each (n,)."""
    return area_under(curve), area_under(random)


def summarized(facts: pd.DataFrame) -> pd.DataFrame:
    """Means over patches by `run, method, head, measure`, with 95 % intervals over patients.

    `facts`: those, `patient`, `value` and `chance` of each patch. Returns `value, low, high, chance, gain, gain_low,
    gain_high, patches, patients`; the gain is value minus chance, NaN where there is no chance.
    """
    rows = []
    for key, group in facts.groupby(["run", "method", "head", "measure"], sort=False):
        values, chance, patients = (group[name].to_numpy() for name in ("value", "chance", "patient"))
        known = np.isfinite(values)
        rows.append(
            [
                *key,
                *patient_mean(values, patients),
                patient_mean(chance[known], patients[known])[0],
                *patient_mean(values - chance, patients),
                int(known.sum()),
                len(np.unique(patients[known])),
            ]
        )
    names = ["value", "low", "high", "chance", "gain", "gain_low", "gain_high", "patches", "patients"]
    return pd.DataFrame(rows, columns=["run", "method", "head", "measure", *names])


def compared(facts: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """`first` minus `second` run on the same patches, by `method, head, measure`, with intervals over patients."""
    keys = ["method", "head", "measure", "row", "patient"]
    a, b = (facts[facts["run"] == name].set_index(keys)["value"] for name in (first, second))
    gaps = (a - b).dropna().reset_index()
    rows = [
        [first, second, *key, *patient_mean(group["value"].to_numpy(), group["patient"].to_numpy()), len(group)]
        for key, group in gaps.groupby(["method", "head", "measure"], sort=False)
    ]
    names = ["run", "minus", "method", "head", "measure", "difference", "low", "high", "patches"]
    return pd.DataFrame(rows, columns=names)
