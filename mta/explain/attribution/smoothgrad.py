"""SmoothGrad (Smilkov et al., 2017) and its squared form (Hooker et al., NeurIPS 2019)."""

import numpy as np

from mta.explain.attribution.integrated_gradients import Gradient


def smoothgrad(
    gradient: Gradient, images: np.ndarray, sigma: float, samples: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean gradient, and mean squared gradient, of T scores over noisy copies of `images` (n, …): both (T, n, …).

    `sigma`: standard deviation of the Gaussian noise, in units of the images. Without noise one sample says it all.
    """
    generator = np.random.default_rng(seed)
    samples = samples if sigma else 1
    sums: list[np.ndarray] = []
    for _ in range(samples):
        noise = generator.standard_normal(images.shape, np.float32) * np.float32(sigma)
        found = gradient(images + noise)
        pair = [found, found**2]
        sums = [total + new for total, new in zip(sums, pair, strict=True)] if sums else pair
    return sums[0] / samples, sums[1] / samples
