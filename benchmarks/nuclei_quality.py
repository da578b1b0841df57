"""Derive the weights of `data_prep.nuclei.quality` and `roundness` on tuning halves, and see whether they carry over.

    python -m benchmarks.nuclei_quality DATA [--crossed | --leave-one-out]

For each region and piece of each level, and each round outline, the best intersection over union with a true nucleus
is what its formula is to predict; the three data sets weigh equally. What is usual in a patch depends on the weights,
so they are fitted in rounds. Then the weights of every two data sets are tried on the third, and the true overlaps in
place of the formulas: how well one could count with these candidates.

`--crossed` looks at the reporting halves too: the weights are fitted on each half, the counts are those of the other.

`--leave-one-out` counts in each image of monuseg with weights fitted on its other images, of either half, and on the
tuning halves of the other two data sets. The interval of r is from images drawn with replacement, each with its tiles.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from benchmarks.nuclei_fit import Row, Table, best_counts, counts, fit, table
from benchmarks.nuclei_truth import MPP, Case, cases

Tables = dict[str, Table]
Pair = tuple[Case, Row]
DRAWS = 2000


def correlation(found: np.ndarray) -> float:
    return float(np.corrcoef(found.T)[0, 1])


def load(folder: Path, half: str) -> tuple[dict[str, list[Case]], Tables]:
    some = {name: list(cases(folder, name, half)) for name in MPP}
    return some, {name: table(own, MPP[name]) for name, own in some.items()}


def report(some: dict[str, list[Case]], tables: Tables) -> None:
    weights = fit(list(tables.values()))
    regions, outlines = np.sum([(len(r.overlap), len(r.outline_overlap)) for t in tables.values() for r in t], axis=0)
    print(f"weights {weights.regions.round(3).tolist()}, R2 {weights.r2[0]:.2f} over {regions} regions")
    print(f"weights {weights.outlines.round(3).tolist()}, R2 {weights.r2[1]:.2f} over {outlines} outlines")
    for name, own in some.items():
        others = fit([one for other, one in tables.items() if other != name])
        all_three, foreign = (correlation(counts(own, MPP[name], w)) for w in (weights, others))
        best = correlation(best_counts(own, MPP[name]))
        print(
            f"{name:8} count r {all_three:.3f} with all weights, {foreign:.3f} with those of the other two data sets, "
            f"{best:.3f} by the true overlap"
        )


def report_crossed(folder: Path) -> None:
    halves = [load(folder, half) for half in ("tuning", "reporting")]
    weights = [fit(list(tables.values())) for _, tables in halves]
    for name, mpp in MPP.items():
        found = [counts(some[name], mpp, w) for (some, _), w in zip(halves, reversed(weights), strict=True)]
        print(
            f"{name:8} count r, weights of the other half: {correlation(np.concatenate(found)):.3f} "
            f"(tuning {correlation(found[0]):.3f}, reporting {correlation(found[1]):.3f})"
        )


def report_left_out(folder: Path) -> None:
    loaded = [load(folder, half) for half in ("tuning", "reporting")]
    others = [table for name, table in loaded[0][1].items() if name != "monuseg"]
    images = by_image(
        [pair for some, tables in loaded for pair in zip(some["monuseg"], tables["monuseg"], strict=True)]
    )
    found = left_out(images, others)
    for image, own in found.items():
        without = correlation(np.concatenate([other for name, other in found.items() if name != image]))
        print(
            f"{image:24} bias {_bias(own):+5.1f} of {own[:, 1].mean():.1f}, r {correlation(own):.3f}, "
            f"{without:.3f} without it"
        )
    counted = list(found.values())
    level = [own - [_bias(own), 0] for own in counted]
    low, high = interval(counted)
    best = best_counts([case for pairs in images.values() for case, _ in pairs], MPP["monuseg"])
    print(
        f"monuseg  count r {correlation(np.concatenate(counted)):.3f} (95% {low:.3f} to {high:.3f} over resampled "
        f"images), {correlation(np.concatenate(level)):.3f} less the bias of each image, "
        f"{correlation(best):.3f} by the true overlap"
    )


def _bias(found: np.ndarray) -> float:
    return float((found[:, 0] - found[:, 1]).mean())


def by_image(pairs: list[Pair]) -> dict[str, list[Pair]]:
    """Cases and their tables by the image that they are tiles of."""
    images: dict[str, list[Pair]] = {}
    for case, row in pairs:
        images.setdefault(case.name.split()[0], []).append((case, row))
    return images


def left_out(images: dict[str, list[Pair]], others: list[Table]) -> dict[str, np.ndarray]:
    """For each image of monuseg the `counts` with weights fitted without it."""
    found = {}
    for image, pairs in images.items():
        rest = [row for name, own in images.items() if name != image for _, row in own]
        weights = fit([*others, rest])
        found[image] = counts([case for case, _ in pairs], MPP["monuseg"], weights)
    return found


def interval(found: list[np.ndarray]) -> tuple[float, float]:
    """The middle 95% of r where the images are drawn with replacement."""
    draws = np.random.default_rng(0).integers(len(found), size=(DRAWS, len(found)))
    drawn = [correlation(np.concatenate([found[image] for image in draw])) for draw in draws]
    return float(np.percentile(drawn, 2.5)), float(np.percentile(drawn, 97.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--crossed", action="store_true", help="fit on each half, count in the other")
    mode.add_argument("--leave-one-out", action="store_true", help="count in each image of monuseg, fit on the others")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.crossed:
        report_crossed(arguments.data)
    elif arguments.leave_one_out:
        report_left_out(arguments.data)
    else:
        report(*load(arguments.data, "tuning"))


if __name__ == "__main__":
    main()
