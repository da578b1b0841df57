"""Reinhard: ours against the original way and torchstain's NumPy version, on one core.

    pip install -r benchmarks/requirements.txt      (in an environment of its own)
    PYTHONPATH=. OPENBLAS_NUM_THREADS=1 python benchmarks/stain.py [PATCHES.npy]

PATCHES.npy holds (n, 224, 224, 3) RGB `uint8`; without it, patches are synthetic. The rivals take turns within each
round, patch by patch. Printed are medians over the rounds: of the times, and of the ratios within each round. CPU time
is what one core spends even on a busy machine; the neighbors' use of its caches still shows in it.
"""

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from data_prep.stain import Reinhard
from data_prep.synthetic import SyntheticSpec, synthesize

ROUNDS = 25
OURS = "ours, as a batch"


class OriginalWay:
    """OpenCV conversions with float operations on every pixel, one patch at a time, as the original code has it.

    Two conversions to LAB and two back; its statistics and its transfer share the second, so that no rival is charged
    for work done twice.
    """

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


def load_patches() -> np.ndarray:
    if len(sys.argv) > 1:
        return np.load(sys.argv[1], allow_pickle=False)
    spec = SyntheticSpec(patches=49, patients=15, size=224, mpp=0.25)
    return np.concatenate([block.patches for block in synthesize(spec)])


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of `work`."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def report(times: dict[str, np.ndarray], patches: int) -> None:
    """Print a row for each rival of its `times` (rounds, 2) in seconds, CPU and wall."""
    for name, of_rival in times.items():
        cpu, wall = np.median(of_rival, axis=0) / patches * 1e3
        ratios = np.median(of_rival / times[OURS], axis=0)
        print(f"{name:22} {cpu:7.3f} ms CPU a patch, {ratios[0]:5.2f} x the batch;", end=" ")
        print(f"{wall:7.3f} ms wall, {ratios[1]:5.2f} x")


def main() -> None:
    cv2.setNumThreads(1)
    reference, *rest = load_patches()
    patches, ours, original = np.stack(rest), Reinhard().fit(reference), OriginalWay(reference)
    rivals: dict[str, Callable[[], object]] = {
        "original way": lambda: [original.transform(patch) for patch in patches],
        "ours, patch by patch": lambda: [ours.transform(patch) for patch in patches],
        OURS: lambda: ours.transform(patches),
    }
    if peer := torchstain_numpy(reference):
        rivals["torchstain NumPy"] = lambda: [peer(patch) for patch in patches]
    differing = np.mean([ours.transform(patch) != original.transform(patch) for patch in patches])
    rounds = np.array([[seconds(work) for work in rivals.values()] for _ in range(ROUNDS)])
    print(f"{patches.shape} patches, {ROUNDS} rounds, OpenCV {cv2.__version__}")
    report({name: rounds[:, index] for index, name in enumerate(rivals)}, len(patches))
    print(f"values that differ from the original way: {differing:.2%}")


if __name__ == "__main__":
    main()
