"""Parts measured, and written with their pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.files import replacing
from data_prep.splits import patient_keys
from mta.explain.nmf.choosing import Scan
from mta.explain.part_facts import weight_maps
from mta.explain.part_figures import draw_exemplars, draw_part_maps, draw_stability
from mta.explain.part_measuring import PartNetwork, PartSettings, measure_parts, measured_rows
from mta.explain.part_tables import parts_table, selection_table
from mta.explain.sampling import rgb_patches, spread

_EXEMPLARS, _MAPPED = 6, 6
_CLASSES = {0: "normal", 1: "tumor", -1: "unlabelled"}


def write_parts(
    folder: Path, network: PartNetwork, chosen: Scan, scans: Sequence[Scan], settings: PartSettings, quiet: bool
) -> pd.DataFrame:
    """Measure `chosen` on test patches and write every file but those of slides to `folder`; returns the table."""
    data = network.subject.data
    rows = measured_rows(network.subject, settings.patches, settings.seed)
    found = measure_parts(network, chosen.parts, rows, settings.seed, quiet)
    table = parts_table(chosen, found, network.heads, data.labels[rows], patient_keys(data.rows)[rows])
    selection = selection_table(scans, chosen)
    for name, content in (("parts", table), ("selection", selection)):
        with replacing(folder / f"{name}.csv") as temporary:
            content.to_csv(temporary, index=False)
    with replacing(folder / "parts.npz") as temporary, open(temporary, "wb") as file:
        np.savez(file, components=chosen.parts, agreement=chosen.agreement, layer=np.array(network.layer))
    draw_stability(selection, folder / "stability.png")
    _exemplars(network, chosen, rows, found["mean"], table, folder / "exemplars.png")
    _maps(network, chosen, spread(data, rows, _MAPPED, settings.seed), folder / "maps.png")
    return table


def _exemplars(
    network: PartNetwork, chosen: Scan, rows: np.ndarray, mean: np.ndarray, table: pd.DataFrame, path: Path
) -> None:
    data = network.subject.data
    slides = data.rows["slide"].to_numpy(object)[rows]
    best = [rows[top_of_each(mean[:, part], slides, _EXEMPLARS)] for part in range(chosen.count)]
    images = [rgb_patches(network.subject, some) for some in best]
    weights = [
        weight_maps(network.crossing(some)[0], chosen.parts)[..., part] for part, some in enumerate(best)
    ]  # fmt: skip
    captions = [_caption(part, network.heads[0], table) for part in range(1, chosen.count + 1)]
    draw_exemplars(captions, np.stack(images), np.stack(weights), path)


def top_of_each(values: np.ndarray, slides: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` highest `values` (n,), as far as possible of as many `slides` (n,)."""
    order = np.argsort(-values, kind="stable")
    turn = pd.Series(slides[order]).groupby(slides[order], sort=False).cumcount().to_numpy()
    first = order[np.argsort(turn, kind="stable")][:count]
    return first[np.argsort(-values[first], kind="stable")]


def _caption(part: int, head: str, table: pd.DataFrame) -> str:
    own = table[table["part"] == part].set_index(["measure", "head"])["value"]
    return f"part {part}\n{own['share', '']:.0%} of all\n{head} {own['importance', head]:+.2f}"


def _maps(network: PartNetwork, chosen: Scan, rows: np.ndarray, path: Path) -> None:
    labels = network.subject.data.labels[rows]
    captions = [f"{_CLASSES[int(label)]}\nrow {row}" for row, label in zip(rows, labels, strict=True)]
    weights = weight_maps(network.crossing(rows)[0], chosen.parts)
    draw_part_maps(captions, rgb_patches(network.subject, rows), weights, path)
