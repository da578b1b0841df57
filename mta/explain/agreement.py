"""How far maps lie on a mask, beside what chance gives."""

import numpy as np


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Whether the highest place of each map is in its mask (n,): 1 or 0, or the share of the highest that are.

    Zhang et al., IJCV 2018. `maps` (n, h, w) >= 0, `masks` (n, h, w) bool. NaN for an empty map. Chance is the mask's
    share of the area.
    """
    flat, inside = _flat(maps), _flat(masks)
    highest = flat == flat.max(axis=1, keepdims=True)
    share = (highest & inside).sum(axis=1) / highest.sum(axis=1)
    return np.where(flat.max(axis=1) > 0, share, np.nan)


def energy_inside(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The share of each map's sum that is in its mask (n,); arguments and chance as in `pointing_game`.

    Wang et al., CVPR workshops 2020. NaN for an empty map.
    """
    flat = _flat(maps).astype(float)
    total = flat.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (flat * _flat(masks)).sum(axis=1) / total, np.nan)


def area_share(masks: np.ndarray) -> np.ndarray:
    """The share of the area that each mask (n, h, w) covers (n,)."""
    return np.asarray(_flat(masks).mean(axis=1))


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)
