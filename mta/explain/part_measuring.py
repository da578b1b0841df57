"""The parts of a run: fitted on its training patches, measured on patches that it was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_prep.console import progress
from data_prep.errors import InputError
from mta.explain.attribution import Heads, grad_cam, readable
from mta.explain.attribution.heads import head_names
from mta.explain.cutting import CutAt, crossing_of, cut_at
from mta.explain.mapping import last_map, require_map
from mta.explain.nmf.choosing import Scan, choose, scan
from mta.explain.nmf.fitting import unit_rows
from mta.explain.nuclei_masks import neoplastic_masks, nuclei_masks
from mta.explain.opening import Subject
from mta.explain.part_facts import (
    PartMeasures,
    collected,
    deletion_effects,
    map_correlations,
    shares_inside,
    weight_maps,
)
from mta.explain.part_sampling import sample_vectors
from mta.explain.sampling import rgb_patches, spread, tested_rows

BATCH = 32


@dataclass(frozen=True)
class PartSettings:
    """How parts are found.

    Attributes:
        counts: numbers of parts to choose from.
        starts: random starts of each.
        patches: training patches that vectors are sampled from, and at most as many that are measured.
        positions: vectors of each.
        seed: of every choice.
    """

    counts: tuple[int, ...] = (2, 3, 4, 5, 6, 8, 10, 12)
    starts: int = 4
    patches: int = 1000
    positions: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.counts or min(self.counts) < 1 or self.starts < 1 or self.patches < 1 or self.positions < 1:
            raise InputError("give --counts, --starts, --patches and --positions of 1 or more")


class PartNetwork:
    """A run's network cut at a layer.

    Raises `InputError` for a run on embeddings, a layer or head that is not there, or without spatial extent.
    """

    def __init__(self, subject: Subject, layer: str, heads: Sequence[str]) -> None:
        model = subject.trained.model
        if subject.trained.embedded:
            raise InputError("the run is on embeddings, which have no places to map; explain a run on images")
        self.subject, self.heads = subject, head_names(model, heads)
        self.layer = layer or last_map(model)
        require_map(model, self.layer)
        self.cut: CutAt = cut_at(model, self.layer)
        self.upper = Heads(readable(self.cut.upper), self.heads)

    @property
    def positions(self) -> int:
        """How many vectors the layer has for a patch."""
        return int(np.prod(self.cut.lower.outputs[0].shape[1:3]))

    def crossing(self, rows: np.ndarray) -> list[np.ndarray]:
        """What crosses the cut for `rows`, float32, the layer's activation (n, h, w, C) first."""
        images = self.subject.inputs().take(rows)["image"].astype(np.float32)
        return [np.asarray(tensor, np.float32) for tensor in crossing_of(self.cut, images)]


def find_parts(network: PartNetwork, settings: PartSettings, folder: Path, quiet: bool) -> tuple[Scan, list[Scan]]:
    """(the chosen number of parts, all that were tried); vectors wait in a temporary file in `folder`.

    Fitted on training rows; the error is that on test rows. Raises `InputError` for more parts than vectors, negative
    activations and those that are not finite.
    """
    subject, each = network.subject, min(settings.positions, network.positions)
    rows = spread(subject.data, subject.data.of("train"), settings.patches, settings.seed)
    if max(settings.counts) > len(rows) * each:
        raise InputError(
            f"{max(settings.counts)} parts from {len(rows) * each} activation vectors ({len(rows)} patches, {each} "
            "positions each); ask for fewer --counts, or take more --patches or --positions"
        )
    others = measured_rows(subject, max(1, settings.patches // 4), settings.seed)
    sample = [
        sample_vectors(subject, network.layer, chosen, each, folder, settings.seed, quiet) for chosen in (rows, others)
    ]
    with sample[0] as fitted, sample[1] as held_out:
        seeds = range(settings.seed, settings.seed + settings.starts)
        counts = sorted(set(settings.counts))
        scans = [scan(fitted, held_out, count, seeds) for count in progress(counts, "numbers of parts", quiet=quiet)]
    return choose(scans), scans


def measured_rows(subject: Subject, count: int, seed: int) -> np.ndarray:
    """At most `count` test rows (validation rows where there are none), spread over slides and classes."""
    return spread(subject.data, tested_rows(subject.data), count, seed)


def random_directions(count: int, width: int, seed: int) -> np.ndarray:
    """`count` random non-negative directions (K, width) of length 1: absolute values of Gaussian numbers."""
    return unit_rows(np.abs(np.random.default_rng(seed).standard_normal((count, width))))


def measure_parts(
    network: PartNetwork, parts: np.ndarray, rows: np.ndarray, seed: int, quiet: bool
) -> dict[str, np.ndarray]:
    """What `mta.explain.part_facts.PartMeasures` says of `rows`, and `random` (n, K): mean weights of directions.

    Of the patches a batch is in memory.
    """
    measures, random = PartMeasures(), []
    directions = random_directions(len(parts), parts.shape[1], seed)
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    for batch in progress(batches, "batches measured", quiet=quiet):
        crossing = network.crossing(batch)
        _measure(network, parts, batch, crossing, measures)
        random.append(weight_maps(crossing[0], directions).mean(axis=(1, 2)))
    return collected(measures) | {"random": np.concatenate(random)}


def _measure(
    network: PartNetwork, parts: np.ndarray, rows: np.ndarray, crossing: list[np.ndarray], measures: PartMeasures
) -> None:
    classes = network.upper.likeliest_centre(crossing)
    weights = weight_maps(crossing[0], parts)
    measures.mean.append(weights.mean(axis=(1, 2)))
    measures.effect.append(deletion_effects(network.upper, crossing, weights, parts, classes))
    cams = grad_cam(crossing[0], network.upper.gradients(crossing, classes))
    measures.gradcam.append(map_correlations(cams, weights))
    data = network.subject.data
    masks = {
        "nuclei": nuclei_masks(data, rows, rgb_patches(network.subject, rows)),
        "tumor": neoplastic_masks(data, rows),
    }
    for name, mask in masks.items():
        if mask is not None:
            getattr(measures, name).append(shares_inside(weights, mask))
