"""Where a slide holds tissue, on an overview of some micrometres a pixel."""

import cv2
import numpy as np

_WHITE, _INSTEAD = 255, 200
_HIGHEST, _CAPPED = 229, 196
_OPENING = np.ones((5, 5), np.uint8)
# Saturations (of 255) between which glass ends and stain begins, whatever else is on the slide.
_LEAST_STAIN, _SURE_STAIN = 10, 40
_DARKEST = 20
_VOID = 10  # no section lets so little light of all colors through


def otsu_tissue(image: np.ndarray) -> np.ndarray:
    """Tissue (h, w) bool in an RGB uint8 overview (h, w, 3), as the original finds it (its `util.py`, `functions.py`).

    Gray values of exactly 255 count as 200 for the threshold and 0 (the scanner's black) not at all; Otsu's threshold
    has 256 bins over the range that is left, and above 229 it becomes 196. Lighter is background, as is 0; the
    background is opened by 5 x 5, which closes holes in the tissue that are smaller. No tissue is a mask of False.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    background = ((gray > _threshold(gray)) | (gray == 0)).astype(np.uint8)
    return cv2.morphologyEx(background, cv2.MORPH_OPEN, _OPENING) == 0


def _threshold(gray: np.ndarray) -> float:
    from skimage.filters import threshold_otsu

    values = np.where(gray == _WHITE, _INSTEAD, gray)[gray > 0].astype(np.float64)
    if not len(values):
        return 0.0
    threshold = float(threshold_otsu(values))
    return _CAPPED if threshold > _HIGHEST else threshold


def saturation_tissue(image: np.ndarray) -> np.ndarray:
    """Tissue (h, w) bool in an RGB uint8 overview (h, w, 3): what is colored, and not black.

    The saturation of HSV, median of 7 x 7, against Otsu's threshold held between 10 and 40 of 255, so that an overview
    of nothing but glass has no tissue and one of nothing but tissue no glass (which `otsu_tissue` parts in two). Specks
    below 5 x 5 pixels are dropped. Colored ink counts as tissue.
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    saturation = cv2.medianBlur(np.ascontiguousarray(hsv[..., 1]), 7)
    found = cv2.threshold(saturation, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]
    colored = (saturation > np.clip(found, _LEAST_STAIN, _SURE_STAIN)) & (hsv[..., 2] > _DARKEST)
    return cv2.morphologyEx(colored.astype(np.uint8), cv2.MORPH_OPEN, _OPENING) > 0


def is_void_beyond(image: np.ndarray, share: float) -> bool:
    """Whether more than `share` of the pixels of `image` (h, w, 3) RGB uint8 are `is_void`."""
    allowed = share * image[..., 0].size
    # Three values in each such pixel: to count dark values is quicker than to ask pixels, and nearly always enough.
    if np.count_nonzero(image <= _VOID) <= 3 * allowed:
        return False
    return bool(np.count_nonzero(is_void(image)) > allowed)


def is_void(images: np.ndarray) -> np.ndarray:
    """What a scanner left black, without a section: bool (..., h, w) of `images` (..., h, w, 3) RGB uint8, not empty.

    Such pixels have 10 or less in each channel.
    """
    rows = np.ascontiguousarray(images).reshape(-1, images.shape[-2], 3)
    return cv2.inRange(rows, (0, 0, 0), (_VOID, _VOID, _VOID)).view(bool).reshape(images.shape[:-1])
