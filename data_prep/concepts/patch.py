"""A patch and its nuclei as the concepts see them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from data_prep.concepts.instances import label_map
from data_prep.errors import InputError

UNKNOWN = float("nan")


@dataclass(frozen=True)
class Patch:
    """One patch under measurement; what several concepts need is computed once.

    `image`: RGB `uint8` (h, w, 3). `labels`: integers (h, w), 0 = background, one number a nucleus; None where no
    concept asks for nuclei. `mpp`: micrometres a pixel, NaN where unknown.
    """

    image: np.ndarray
    labels: np.ndarray | None
    mpp: float

    @cached_property
    def inside(self) -> np.ndarray:
        """Where nuclei are: `uint8` (h, w), 255 or 0; `InputError` where the patch came without labels."""
        return (self._given_labels() != 0).view(np.uint8) * np.uint8(255)

    @cached_property
    def nuclei(self) -> "Nuclei":
        """The nuclei; `InputError` where the patch came without labels."""
        return Nuclei.of(self._given_labels())

    def _given_labels(self) -> np.ndarray:
        if self.labels is None:
            raise InputError("concepts of nuclei need the labels of nuclei; give them, or leave these concepts out")
        return self.labels


@dataclass(frozen=True)
class Nuclei:
    """The pixels of all nuclei of a patch, in reading order.

    `place` (k,): flat index in a label map with a frame of one pixel of background. `owner` (k,): the nucleus of each
    pixel, 0 to `count` - 1. `framed`: that map (h + 2, w + 2), flat, `owner` + 1 on nuclei. `stride`: its width.
    """

    place: np.ndarray
    owner: np.ndarray
    framed: np.ndarray
    stride: int
    areas: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray) -> "Nuclei":
        """The nuclei of `labels` (h, w); their numbers need not be consecutive."""
        height, width = labels.shape
        where = np.flatnonzero(labels)
        owner, found = pd.factorize(labels.ravel()[where])
        place = where + 2 * (where // width) + width + 3
        framed = np.zeros((height + 2) * (width + 2), np.int32)
        framed[place] = owner + 1
        return cls(place, owner, framed, width + 2, np.bincount(owner, minlength=len(found)))

    @property
    def count(self) -> int:
        """How many nuclei."""
        return len(self.areas)

    def mean(self, values: np.ndarray) -> float:
        """The mean of `values` (count,), NaN without nuclei."""
        return float(values.mean()) if len(values) else UNKNOWN


def checked(image: np.ndarray, labels: np.ndarray | None, mpp: float | None) -> Patch:
    """A `Patch` of arrays from outside, read-only to whoever measures it; `InputError` where they are no patch."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3 or not image.size:
        raise InputError(f"a patch is {image.dtype} {image.shape}; concepts are measured on RGB uint8 (h, w, 3)")
    scale = UNKNOWN if mpp is None else float(mpp)
    if scale <= 0 or np.isinf(scale):
        raise InputError(f"mpp is {mpp}; give micrometres a pixel above 0, or NaN where unknown")
    found = None if labels is None else _sealed(label_map(labels, image.shape[:2]))
    return Patch(_sealed(image), found, scale)


def _sealed(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
