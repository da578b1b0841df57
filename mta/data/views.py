"""The eight views of a patch that a microscope slide does not tell apart."""

import numpy as np


def dihedral(images: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Each image turned and mirrored as `which` says.

    Args:
        images: (n, side, side, channels).
        which: (n,) from 0 (as it is) to 7: the two low bits count right angles, the third mirrors.

    Returns:
        A new array of the same shape and dtype.
    """
    views = np.empty_like(images)
    for view in range(8):
        chosen = which == view
        turned = np.rot90(images[chosen], view % 4, axes=(1, 2))
        views[chosen] = turned[:, :, ::-1] if view >= 4 else turned
    return views
