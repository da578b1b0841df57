"""What Macenko and Vahadane share: separate a patch into two stains, and put others in their place."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import cv2
import numpy as np

from data_prep.errors import InputError
from data_prep.stain.density import densities, levels, percentile, tissue_pixels
from data_prep.stain.files import Saved
from data_prep.stain.lab import as_batch
from data_prep.stain.stains import Stains

LEAST_TISSUE = 16
"""Pixels of tissue that a patch needs for its stains to be estimated."""
PEAK = 99
"""The percentile of the amounts of a stain that counts as its peak."""


class StainTransfer(Saved):
    """Give patches the stains of a reference: `stains`, the target, or None before `fit`.

    A patch is separated into amounts of its own two stains; these are scaled so that their peaks become those of the
    target, and drawn in the target's colors.
    """

    damage: ClassVar[str] = "matrix or peaks are missing or no stains"
    offset: ClassVar[float] = 0.0
    """OD that is added to all of `density.py`, so that white is not below 0."""

    def __init__(self) -> None:
        self.stains: Stains | None = None

    @classmethod
    def from_stains(cls, stains: Stains) -> Self:
        """A normalizer with the target `stains`; `InputError` where they cannot be told apart."""
        normalizer = cls()
        normalizer.stains = Stains.of(stains.matrix, stains.peaks)
        return normalizer

    @abstractmethod
    def find_matrix(self, pixels: np.ndarray) -> np.ndarray | None:
        """The stain matrix (3, 2) of tissue `pixels` (n, 3) `uint8`, hematoxylin first; None where there is none."""

    @abstractmethod
    def amounts(self, density: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """The amount of each stain of `matrix` (3, 2) in `density` (3, n): (2, n) float64."""

    def estimate(self, images: np.ndarray) -> Stains | None:
        """The stains of one RGB `uint8` patch (h, w, 3), or of a batch (n, h, w, 3) of one slide taken together.

        None where they cannot be estimated: too little tissue, one color, noise, or no stains of H&E (felt pen).
        """
        image = np.concatenate(as_batch(images)) if len(images) else np.empty((1, 0, 3), np.uint8)
        return self._estimate(image)[0] if image.size else None

    def _estimate(self, image: np.ndarray) -> tuple[Stains | None, np.ndarray]:
        """The stains of `image` (h, w, 3) and their amounts (2, h·w), of no meaning without stains."""
        pixels, none = tissue_pixels(image), np.empty((2, 0))
        matrix = self.find_matrix(pixels) if len(pixels) >= LEAST_TISSUE else None
        if matrix is None or not Stains(matrix, np.ones(2)).plausible():
            return None, none
        amounts = self.amounts(densities(image, self.offset), matrix)
        stains = Stains(matrix, np.array([percentile(of_stain, PEAK) for of_stain in amounts]))
        return (stains, amounts) if stains.separable() else (None, none)

    def fit(self, image: np.ndarray) -> Self:
        """Take the stains of one RGB `uint8` patch (h, w, 3) as target; `InputError` where it has none."""
        if np.ndim(image) != 3:
            raise InputError(
                f"the stain reference must be one patch (h, w, 3), not an array of shape {np.shape(image)}"
            )
        if (stains := self.estimate(image)) is None:
            raise InputError("the stain reference is blank, of one color or no H&E: choose a patch with stained tissue")
        self.stains = stains
        return self

    def transform(self, images: np.ndarray, return_flags: bool = False, source: Stains | None = None) -> Any:
        """Normalize one RGB `uint8` patch (h, w, 3) or a batch (n, h, w, 3): an array of the same shape and type.

        `source`: the stains of the slide that the patches are of (`estimate`); None estimates them in each patch.
        With `return_flags` also a bool array (n,), or one bool for one patch: True where the patch has no tissue, or
        no stains could be estimated in it, and so comes back unchanged. Raises `InputError` before `fit`.
        """
        target, batch = self.target(), as_batch(images)
        normalized = np.empty_like(batch)
        flags = np.zeros(len(batch), dtype=bool)
        for number, (patch, result) in enumerate(zip(batch, normalized, strict=True)):
            stains, amounts = self._separated(patch, source)
            flags[number] = stains is None
            result[:] = patch if stains is None else self._drawn(amounts, target.scaled(stains), patch.shape)
        return _as_given(images, flags, return_flags, normalized)

    def _separated(self, patch: np.ndarray, source: Stains | None) -> tuple[Stains | None, np.ndarray]:
        if source is None:
            return self._estimate(patch)
        # What cannot be normalized on its own for want of tissue or contrast is blank with given stains as well.
        if len(pixels := tissue_pixels(patch)) < LEAST_TISSUE or _of_one_color(pixels):
            return None, np.empty((2, 0))
        return source, self.amounts(densities(patch, self.offset), source.matrix)

    def _drawn(self, amounts: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The RGB `uint8` (h, w, 3) of `amounts` (2, h·w) of stains that look like `matrix` (3, 2)."""
        exponents = -matrix @ amounts
        return levels(exponents + self.offset if self.offset else exponents, (shape[0], shape[1]))

    def separate(self, images: np.ndarray, return_flags: bool = False) -> Any:
        """Hematoxylin alone and eosin alone, in the colors and strengths of the target: two arrays like `images`.

        `images`: RGB `uint8` (h, w, 3) or (n, h, w, 3). What `transform` would flag is unchanged in both; with
        `return_flags` the flags follow. Raises `InputError` before `fit`.
        """
        target, batch = self.target(), as_batch(images)
        parts, flags = np.stack([batch, batch]), np.zeros(len(batch), dtype=bool)
        for number, patch in enumerate(batch):
            stains, amounts = self._estimate(patch)
            flags[number] = stains is None
            if stains is not None:
                for part, alone in zip(parts, np.eye(2), strict=True):
                    part[number] = self._drawn(amounts, target.scaled(stains) * alone, patch.shape)
        return _as_given(images, flags, return_flags, *parts)

    def target(self) -> Stains:
        """The stains that patches are given; `InputError` before `fit`."""
        if self.stains is None:
            raise InputError("this stain normalizer has no reference yet: call fit, from_stains or load first")
        return self.stains

    def fields(self) -> dict[str, Any]:
        """Method and target, as JSON types."""
        return {"method": self.method, **self.target().fields()}

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The normalizer with the stains in `fields`."""
        return cls.from_stains(Stains.of(fields["matrix"], fields["peaks"]))


def _of_one_color(pixels: np.ndarray) -> bool:
    """Whether `pixels` (n, 3), n > 0, are all alike."""
    return all(plane.min() == plane.max() for plane in cv2.split(pixels[None]))


def _as_given(images: np.ndarray, flags: np.ndarray, return_flags: bool, *results: np.ndarray) -> Any:
    """`results` in the shape of `images`, with `flags` (n,) if wanted; alone where there is one thing to return."""
    shaped: tuple[Any, ...] = tuple(result.reshape(np.shape(images)) for result in results)
    if return_flags:
        shaped += (flags if np.ndim(images) == 4 else bool(flags[0]),)
    return shaped if len(shaped) > 1 else shaped[0]
