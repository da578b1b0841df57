"""Macenko and Vahadane: ours against torchstain's NumPy Macenko, on one core, on the same patches in the same rounds.

    pip install -r benchmarks/requirements.txt      (in an environment of its own)
    PYTHONPATH=. OPENBLAS_NUM_THREADS=1 python benchmarks/macenko.py [PATCHES.npy]

Patches, rounds and medians are as in benchmarks/stain.py. torchstain is timed without and with (its default) the
images of the single stains, which ours does not make unless `separate` is called.
"""

from collections.abc import Callable

import cv2
import numpy as np
from stain import ROUNDS, load_patches, seconds
from torchstain.numpy.normalizers import NumpyMacenkoNormalizer

from data_prep.stain import Macenko, Vahadane

OURS = "ours, Macenko"


def main() -> None:
    cv2.setNumThreads(1)
    reference, *rest = load_patches()
    patches, ours, vahadane = np.stack(rest), Macenko(), Vahadane().fit(reference)
    slide, peer = ours.estimate(patches[:8]), NumpyMacenkoNormalizer()
    rivals: dict[str, Callable[[], object]] = {
        OURS: lambda: ours.transform(patches),
        "ours, stains of the slide": lambda: ours.transform(patches, source=slide),
        "ours, Vahadane": lambda: vahadane.transform(patches),
        "torchstain": lambda: [peer.normalize(patch, stains=False)[0] for patch in patches],
        "torchstain, with stains": lambda: [peer.normalize(patch)[0] for patch in patches],
    }
    rounds = np.array([[seconds(work) for work in rivals.values()] for _ in range(ROUNDS)])
    print(f"{patches.shape} patches, {ROUNDS} rounds")
    for name, of_rival in zip(rivals, rounds.transpose(1, 0, 2), strict=True):
        cpu, wall = np.median(of_rival, axis=0) / len(patches) * 1e3
        ratios = np.median(of_rival / rounds[:, 0], axis=0)
        print(f"{name:26} {cpu:7.3f} ms CPU a patch, {ratios[0]:5.2f} x; {wall:7.3f} ms wall, {ratios[1]:5.2f} x")
    theirs = np.stack([peer.normalize(patch, stains=False)[0] for patch in patches])
    mine, flags = ours.transform(patches, return_flags=True)
    different = (mine != np.minimum(theirs, 254))[~flags]
    print(
        f"flagged: {flags.sum()}; values of the others that differ, but for 255 which ours writes as 254:",
        different.sum(),
    )


if __name__ == "__main__":
    main()
