"""Reinhard: ours against the original way and torchstain's NumPy version, on one core.

    pip install -r benchmarks/requirements.txt      (in an environment of its own)
    python benchmarks/stain.py [PATCHES.npy]        (n, 224, 224, 3) RGB uint8; without it, synthetic patches

The rivals take turns within each round, patch by patch; medians over the rounds are printed, in CPU time, which
is what one core spends even on a busy machine.
"""

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from data_prep.stain import Reinhard
from data_prep.synthetic import SyntheticSpec, synthesize

ROUNDS = 15


class OriginalWay:
    """OpenCV conversions with float operations on every pixel, one patch at a time, as the original code has it."""

    def __init__(self, reference: np.ndarray) -> None:
        channels = self.split(self.brighten(reference))
        self.means, self.stds = self.moments(channels)

    @staticmethod
    def brighten(image: np.ndarray) -> np.ndarray:
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        light = lab[:, :, 0].astype(float)
        lab[:, :, 0] = np.clip(255 * light / np.percentile(light, 95), 0, 255).astype(np.uint8)
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)

    @staticmethod
    def split(image: np.ndarray) -> list[np.ndarray]:
        light, a, b = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32))
        return [light / 2.55, a - 128, b - 128]

    @staticmethod
    def moments(channels: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        means, stds = zip(*(cv2.meanStdDev(channel) for channel in channels), strict=True)
        return np.ravel(means), np.ravel(stds)

    def transform(self, image: np.ndarray) -> np.ndarray:
        channels = self.split(self.brighten(image))
        means, stds = self.moments(channels)
        zipped = zip(channels, means, stds, self.means, self.stds, strict=True)
        light, a, b = ((x - mean) * (target_std / std) + target for x, mean, std, target, target_std in zipped)
        merged = cv2.merge((light * 2.55, a + 128, b + 128))
        return cv2.cvtColor(np.clip(merged, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)


def torchstain_numpy(reference: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    try:
        from torchstain.numpy.normalizers import NumpyReinhardNormalizer
    except ImportError:
        print("torchstain is not installed: left out (pip install -r benchmarks/requirements.txt)")
        return None
    normalizer = NumpyReinhardNormalizer()
    normalizer.fit(reference)
    return normalizer.normalize


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def load_patches() -> np.ndarray:
    if len(sys.argv) > 1:
        return np.load(sys.argv[1], allow_pickle=False)
    spec = SyntheticSpec(patches=49, patients=15, size=224, mpp=0.25)
    return np.concatenate([block.patches for block in synthesize(spec)])


def main() -> None:
    cv2.setNumThreads(1)
    reference, *rest = load_patches()
    patches, ours, original = np.stack(rest), Reinhard().fit(reference), OriginalWay(reference)
    rivals: dict[str, Callable[[], object]] = {
        "original way": lambda: [original.transform(patch) for patch in patches],
        "ours, patch by patch": lambda: [ours.transform(patch) for patch in patches],
        "ours, as a batch": lambda: ours.transform(patches),
    }
    if peer := torchstain_numpy(reference):
        rivals["torchstain NumPy"] = lambda: [peer(patch) for patch in patches]
    differing = np.mean([ours.transform(patch) != original.transform(patch) for patch in patches])
    times = np.array([[cpu_seconds(work) for work in rivals.values()] for _ in range(ROUNDS)])
    medians = dict(zip(rivals, np.median(times, axis=0) / len(patches) * 1e3, strict=True))
    print(
        f"{len(patches)} patches of {patches.shape[1]} x {patches.shape[2]}, {ROUNDS} rounds, OpenCV {cv2.__version__}"
    )
    for name, milliseconds in medians.items():
        print(
            f"{name:22} {milliseconds:8.3f} ms a patch   {milliseconds / medians['ours, as a batch']:6.2f} x the batch"
        )
    print(f"values that differ from the original way: {differing:.2%}")


if __name__ == "__main__":
    main()
