"""From regions and nuclei to two maps: how much hematoxylin and eosin the section holds at each pixel."""

import cv2
import numpy as np

from data_prep.synthetic.anatomy import Nuclei, Regions
from data_prep.synthetic.noise import fibres, fractal, smooth
from data_prep.synthetic.paint import Canvas, paint_nuclei

GRAIN = 1.1  # scale of the chromatin in µm


def stain_section(
    rng: np.random.Generator, regions: Regions, nuclei: Nuclei, mpp: float
) -> tuple[np.ndarray, np.ndarray, Canvas]:
    """Optical densities of hematoxylin and eosin, each (side, side) float32, and the canvas with the nuclei's truth."""
    side = len(regions.nest)
    canvas = paint_nuclei(rng, nuclei, side, mpp)
    outside = 1 - canvas.cover
    gap = cv2.distanceTransform((canvas.cover < 0.5).astype(np.uint8), cv2.DIST_L2, 3) * np.float32(mpp)
    hematoxylin, eosin = _matrix(rng, regions, gap, mpp)
    grain = fractal(rng, side, GRAIN / mpp, 2)
    nuclear = canvas.density * (1 + canvas.chromatin * 1.6 * np.tanh(grain / 1.6))
    present = 1 - regions.gap * outside
    thickness = np.exp(0.10 * fractal(rng, side, 30 / mpp, 2)) * present
    eosin = eosin * (1 - 0.6 * canvas.cover) * thickness
    return (nuclear + hematoxylin * outside * present) * np.sqrt(thickness + 1 - present), eosin, canvas


def _matrix(rng: np.random.Generator, regions: Regions, gap: np.ndarray, mpp: float) -> tuple[np.ndarray, np.ndarray]:
    """Hematoxylin and eosin between the nuclei; `gap` is the distance to the nearest nucleus in µm."""
    side = len(gap)
    lymphoid = 1 - regions.nest - regions.stroma
    granules, cloud = fractal(rng, side, 1.8 / mpp, 2), fractal(rng, side, 7 / mpp, 3)
    near = np.exp(-gap / 1.4)
    cytoplasm = rng.uniform(0.24, 0.44) * (1 + 0.09 * granules + 0.12 * cloud) * (0.8 + 0.3 * np.exp(-gap / 4))
    lymph = rng.uniform(0.05, 0.30) + 0.17 * near + 0.16 * np.maximum(cloud, 0)
    collagen = 0.30 + 0.42 * fibres(rng, side, 1.5 / mpp) + 0.06 * cloud
    eosin = regions.nest * cytoplasm + lymphoid * lymph + regions.stroma * collagen
    # nuclei that lie deeper in the section shine through, out of focus
    ghosts = 0.45 * np.maximum(smooth(rng, side, 5.5 / mpp) - 0.35, 0)
    haze = rng.uniform(0.10, 0.20) * (1 + 0.2 * granules)
    hematoxylin = regions.nest * haze + lymphoid * (0.05 + 0.10 * near + ghosts) + regions.stroma * 0.06
    return np.maximum(hematoxylin, 0), np.maximum(eosin, 0)
