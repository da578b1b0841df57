"""Stain augmentation: more or less of each stain, as between laboratories (Tellez et al. 2018, 2019).

With density D = -ln((I + 1) / 256) of a pixel, which is 0 for white, stain matrix M (3, stains) and amounts
c = (MᵀM)⁻¹MᵀD, the result is D + M·((scale - 1)·c + shift·w), so that what is of none of the stains stays (Tellez et
al. 2018, doi:10.1109/TMI.2018.2820199: c ← scale·c + shift). The weight w = min(1, mean(D) / 0.15) is ours: without it
a shift would color white background. All of it is linear algebra and one exponential, for arrays and layers alike.
"""

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.stain.lab import as_batch

HED = np.array([[0.65, 0.07, 0.27], [0.70, 0.99, 0.57], [0.29, 0.11, 0.78]])
"""Columns: hematoxylin, eosin, DAB (Ruifrok and Johnston 2001); rows: red, green, blue light."""
FULL_TISSUE = 0.15
"""Mean density from which a shift counts in full."""
_WHITE = 256.0
_DENSITY = -np.log((np.arange(256, dtype=np.float32) + 1) / _WHITE).astype(np.float32)


def draw_jitter(generator: np.random.Generator, count: int, stains: int, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Scales (count, stains), uniform in 1 ± sigma, and shifts (count, stains), uniform in 0 ± sigma (OD).

    `sigma` of 0.05 is light and 0.2 is strong in the papers. Raises `InputError` where it is not from 0 to below 1.
    """
    if not 0 <= sigma < 1:
        raise InputError(f"the strength of stain augmentation is from 0 to below 1 (OD), not {sigma}")
    return 1 + generator.uniform(-sigma, sigma, (count, stains)), generator.uniform(-sigma, sigma, (count, stains))


def jitter_stains(images: np.ndarray, matrix: np.ndarray, scales: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """`images` with their stains scaled and shifted: RGB `uint8` (h, w, 3) or (n, h, w, 3), the same shape and type.

    `matrix`: density that a unit of each stain takes from red, green and blue (3, stains), e.g. `HED`, or
    `Stains.matrix` of the patch's slide; columns are brought to length 1. `scales` and `shifts` (OD): (n, stains), n is
    1 for one patch. White stays white, scale 1 and shift 0 change nothing, a patch of one color stays of one color.
    Raises `InputError` on other shapes and on factors that are not finite.
    """
    batch, unit = as_batch(images), np.asarray(matrix, float) / np.linalg.norm(matrix, axis=0)
    scales, shifts = _factors(batch, unit, scales), _factors(batch, unit, shifts)
    unmix = np.linalg.pinv(unit)
    jittered = np.empty_like(batch)
    for patch, result, scale, shift in zip(batch, jittered, scales, shifts, strict=True):
        density = cv2.LUT(patch, _DENSITY)
        added = _weights(density) * (unit @ shift).astype(np.float32)
        mixed = cv2.transform(density, (np.eye(3) + unit * (scale - 1) @ unmix).astype(np.float32))
        result[:] = _light(mixed + added)
    return jittered.reshape(np.shape(images))


def jitter_hed(images: np.ndarray, sigma: float, generator: np.random.Generator) -> np.ndarray:
    """`images` with hematoxylin, eosin and DAB varied by `draw_jitter`; shapes as in `jitter_stains`."""
    return jitter_stains(images, HED, *draw_jitter(generator, len(as_batch(images)), 3, sigma))


def _factors(batch: np.ndarray, matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    factors = np.asarray(values, float)
    wanted = (len(batch), matrix.shape[1])
    if factors.shape != wanted or not np.isfinite(factors).all():
        raise InputError(f"stain augmentation needs finite factors of shape {wanted}, not {factors.shape}")
    return factors


def _weights(density: np.ndarray) -> np.ndarray:
    """How much of a shift each pixel of `density` (h, w, 3) gets: (h, w, 1), 0 for white to 1 for tissue."""
    mean = cv2.transform(density, np.full((1, 3), 1 / (3 * FULL_TISSUE), np.float32))
    return np.minimum(mean, np.float32(1)).reshape(*density.shape[:2], 1)


def _light(density: np.ndarray) -> np.ndarray:
    # Density below 0 is brighter than white; the floor keeps the exponential finite.
    return np.rint(np.float32(_WHITE) * np.exp(-np.maximum(density, 0)) - 1).clip(0).astype(np.uint8)
