"""From masks in any of our shapes to one label map."""

import numpy as np

from data_prep.errors import InputError

PANNUKE_CHANNELS = 6


def label_map(mask: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """`mask` as a label map (h, w) of integers, 0 = background, one number a nucleus.

    `mask`: integers (h, w), taken as they are, or PanNuke's (h, w, 6), in which each of the first five channels
    numbers its own nuclei. Equal numbers in two channels are two nuclei; a pixel that two channels claim goes to the
    first. `size`: (height, width) of the patch. Raises `InputError` on another shape or type, and on negative numbers.
    """
    mask = np.asarray(mask)
    if mask.shape not in (tuple(size), (*size, PANNUKE_CHANNELS)) or mask.dtype.kind not in "iu":
        wanted = f"integers {tuple(size)}, one number a nucleus, or PanNuke's {(*size, PANNUKE_CHANNELS)}"
        raise InputError(f"the mask of nuclei is {mask.dtype} {mask.shape}; expected {wanted}")
    if mask.dtype.kind == "i" and mask.min(initial=0) < 0:
        raise InputError("the mask of nuclei has negative numbers; nuclei are numbered from 1, background is 0")
    return mask if mask.ndim == 2 else _merged(mask)


def _merged(mask: np.ndarray) -> np.ndarray:
    from data_prep.nuclei import merge_classes

    return merge_classes(mask)
