"""Nuclei by `data_prep.nuclei.segment` and by a plain segmenter, against real ground truth; and the time they take.

    python -m benchmarks.nuclei DATA [--half reporting] [--stardist DIR]

DATA is a folder with `nuclei/dsb2018`, `nuclei/monuseg` and `pannuke`. The halves are those of
`benchmarks/nuclei_truth.py`: constants are chosen on `tuning`, numbers are reported of `reporting`.

r and R2 are of the predicted count itself (R2 = 1 - SSE/SST, no calibration), bias is its mean error. PQ is the mean
over images of panoptic quality (A. Kirillov et al., CVPR 2019; matches from IoU 0.5), Dice of all pixels together.
`parts` are the connected parts of what `segment` finds: where touching nuclei are one in the truth, they are one there.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage
from skimage.color import rgb2hed
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.morphology import remove_small_objects
from skimage.segmentation import watershed

from benchmarks.nuclei_truth import MPP, Case, cases, components
from data_prep.nuclei import make_segmenter, segment
from data_prep.store import make_rows

SIDE, PATCHES, ROUNDS = 224, 60, 7
Segment = Callable[[np.ndarray, float], np.ndarray]


def plain(image: np.ndarray, mpp: float) -> np.ndarray:
    """What one writes first: hematoxylin by color deconvolution, Otsu, watershed from the peaks of the distance."""
    hematoxylin = gaussian(rgb2hed(image)[..., 0], 1)
    mask = ndimage.binary_fill_holes(hematoxylin > threshold_otsu(hematoxylin))
    mask = remove_small_objects(mask, max_size=round(3.75 / mpp**2))
    distance = gaussian(ndimage.distance_transform_edt(mask), 1)
    peaks = peak_local_max(
        distance, min_distance=max(1, round(1.75 / mpp)), labels=ndimage.label(mask)[0], exclude_border=False
    )
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-distance, seeds, mask=mask)


def parts(image: np.ndarray, mpp: float) -> np.ndarray:
    return components(segment(image, mpp) > 0)


def stardist(folder: str) -> Segment:
    segmenter = make_segmenter(f"stardist:{folder}")
    return lambda image, mpp: segmenter(image[None], make_rows(1, {"mpp": mpp}))[0]


def panoptic_quality(truth: np.ndarray, labels: np.ndarray) -> float:
    """Of one image; NaN where there is nothing and nothing was found."""
    own, found = int(truth.max()) + 1, int(labels.max()) + 1
    both = np.bincount((truth.astype(np.int64) * found + labels).ravel(), minlength=own * found).reshape(own, found)
    either = both.sum(1)[1:, None] + both.sum(0)[None, 1:] - both[1:, 1:]
    overlap = both[1:, 1:] / np.maximum(either, 1)
    matched = overlap[overlap > 0.5]
    objects = (both.sum(1)[1:] > 0).sum() + (both.sum(0)[1:] > 0).sum()
    return float(matched.sum() / (objects / 2)) if objects else np.nan


def report(name: str, segmenter: Segment, some: list[Case], mpp: float) -> None:
    """Print the row of a segmenter for one data set."""
    found = [segmenter(case.image, mpp) for case in some]
    counts, true = np.array([len(np.unique(x[x > 0])) for x in found]), np.array([case.count for case in some])
    errors = counts - true
    quality = np.nanmean([panoptic_quality(case.truth, x) for case, x in zip(some, found, strict=True)])
    both, each = np.sum(
        [
            (((case.truth > 0) & (x > 0)).sum(), (case.truth > 0).sum() + (x > 0).sum())
            for case, x in zip(some, found, strict=True)
        ],
        axis=0,
    )
    r2 = 1 - (errors**2).sum() / ((true - true.mean()) ** 2).sum()
    print(
        f"  {name:10} r {np.corrcoef(counts, true)[0, 1]:.3f}, R2 {r2:6.2f}, bias {errors.mean():+5.1f} of "
        f"{true.mean():.1f}, PQ {quality:.3f}, Dice {2 * both / each:.3f}"
    )


def compare_speed(segmenters: dict[str, Segment], some: list[Case]) -> None:
    """Print patches a second of CPU time at 224x224 and 0.25 um a pixel, in interleaved rounds on one core."""
    patches = [np.ascontiguousarray(case.image[:SIDE, :SIDE]) for case in some[:PATCHES]]
    times = np.array([[seconds(one, patches) for one in segmenters.values()] for _ in range(ROUNDS)])
    rates = len(patches) / np.median(times, axis=0)
    ratio = np.median(times[:, 1] / times[:, 0])
    print(f"speed at {SIDE}x{SIDE}: " + ", ".join(f"{n} {r:.0f}/s" for n, r in zip(segmenters, rates, strict=True)))
    print(f"  median ratio of the first to the second over {ROUNDS} rounds: {ratio:.2f}")


def seconds(segmenter: Segment, patches: list[np.ndarray]) -> float:
    start = time.process_time()
    for patch in patches:
        segmenter(patch, 0.25)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--half", choices=("tuning", "reporting"), default="tuning")
    parser.add_argument("--stardist", help="a StarDist model folder, to be measured too")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    segmenters: dict[str, Segment] = {"segment": segment, "plain": plain, "parts": parts}
    if arguments.stardist:
        segmenters["stardist"] = stardist(arguments.stardist)
    for data_set, mpp in MPP.items():
        some = list(cases(arguments.data, data_set, arguments.half))
        print(f"{data_set}, {arguments.half} half: {len(some)} images, given as {mpp} um a pixel")
        for name, segmenter in segmenters.items():
            report(name, segmenter, some, mpp)
    compare_speed(segmenters, some)


if __name__ == "__main__":
    main()
