"""Maps of several runs measured on the same patches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.console import progress
from data_prep.errors import InputError
from mta.explain.map_facts import PERTURBATIONS, Perturbation, agreement_facts, curve_facts, sharpness_facts
from mta.explain.mapping import Mapper, MapSettings
from mta.explain.nuclei_masks import nuclei_masks
from mta.explain.opening import Subject
from mta.explain.sampling import rgb_patches, row_facts, spread, tested_rows, worst_errors

BATCH = 16
_CANDIDATES = 2000


@dataclass(frozen=True)
class Chosen:
    """Rows of the store: `measured`, and `shown` in the gallery, `errors` of which come first, the worst first.

    `logits`: of the shown, by the first run.
    """

    measured: np.ndarray
    shown: np.ndarray
    errors: int
    logits: np.ndarray


def choose_rows(subject: Subject, measured: int, shown: int, seed: int) -> Chosen:
    """Test rows to measure, spread over slides and classes, and rows to show: half of them errors if there are any.

    Errors are looked for among 2,000 rows. Raises `InputError` where the run predicts NaN.
    """
    data = subject.data
    candidates = spread(data, tested_rows(data), _CANDIDATES, seed)
    logits = subject.trained.predict(data.patches, candidates)["logit"].to_numpy()
    if not np.isfinite(logits).all():
        raise InputError(f"{subject.trained.path}: predicts NaN; take the other --model, or train it again")
    labels = data.labels[candidates]
    worst = candidates[worst_errors(labels, logits, (shown + 1) // 2)]
    right = candidates[(labels >= 0) & ((logits > 0) == (labels == 1))]
    others = right if len(right) else np.setdiff1d(candidates, worst)
    rows = np.concatenate([worst, spread(data, others, shown - len(worst), seed)])
    places = np.searchsorted(candidates, rows)
    return Chosen(spread(data, candidates, measured, seed), rows, len(worst), logits[places])


def measure_maps(
    subjects: Sequence[Subject], mappers: Sequence[Mapper], rows: np.ndarray, settings: MapSettings, quiet: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Facts of every patch (`mta.explain.map_facts.summarized`), and mean curves with those of random orders.

    Curves: `run, method, head, curve, fraction, value, chance`. Of the patches a batch is in memory.
    """
    facts, curves = [], []
    for subject, mapper in zip(subjects, mappers, strict=True):
        batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        for batch in progress(batches, f"{subject.name}: batches", quiet=quiet):
            for table, points in _measured(subject, mapper, batch, settings):
                facts.append(table)
                curves.append(points)
    groups = pd.concat(curves).groupby(["run", "method", "head", "curve", "fraction"], sort=False)
    return pd.concat(facts, ignore_index=True), groups[["value", "chance"]].mean().reset_index()


def _measured(
    subject: Subject, mapper: Mapper, rows: np.ndarray, settings: MapSettings
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """For each method and head the facts of `rows`, and their curves."""
    images = subject.inputs().take(rows)["image"].astype(np.float32)
    about, masks = row_facts(subject.data, rows), nuclei_masks(subject.data, rows, rgb_patches(subject, rows))
    perturbation = Perturbation(mapper.whole, images, mapper.whole.likeliest_centre([images]), settings.seed)
    random = perturbation.random_curves()
    for method, maps in mapper.maps(images, settings).items():
        for number, head in enumerate(mapper.heads):
            key = {"run": subject.name, "method": method, "head": head}
            pairs = {
                name: (curve, random[name][:, number]) for name, curve in perturbation.curves(maps[number], number)
            }
            found = sharpness_facts(maps[number]) | ({} if masks is None else agreement_facts(maps[number], masks))
            found |= {name: curve_facts(*pair) for name, pair in pairs.items()}
            tables = [about.assign(**key, measure=name, value=v, chance=c) for name, (v, c) in found.items()]
            yield pd.concat(tables), pd.concat([_points(key, name, *pair) for name, pair in pairs.items()])


def _points(key: dict[str, str], name: str, curve: np.ndarray, random: np.ndarray) -> pd.DataFrame:
    fractions = np.repeat(np.linspace(0, 1, PERTURBATIONS + 1), curve.shape[1])
    return pd.DataFrame({**key, "curve": name, "fraction": fractions, "value": curve.ravel(), "chance": random.ravel()})
