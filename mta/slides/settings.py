"""How slides are predicted; part of the key of every slide's state."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from data_prep.console import require_mpp
from data_prep.errors import InputError
from data_prep.slides.resolution import CLOSE

if TYPE_CHECKING:
    from mta.predictor import Predictor


@dataclass(frozen=True)
class SlideSettings:
    """What decides where a slide is read and what counts as tumor; equal settings give equal files.

    `mpp`: micrometres a pixel that the model takes, for a model that does not say it. `slide_mpp`: micrometres a
    level-0 pixel of every slide, in place of what the files say. `stride`: pixels of the patches from one to the next,
    None for their side; less makes them overlap. `tissue`: how tissue is told from glass, as in extraction. `coverage`
    (0..1): least share of tissue in a patch. `threshold` (0..1): tumor probability from which a place counts as tumor.
    Raises `InputError` for a value out of range.
    """

    mpp: float | None = None
    slide_mpp: float | None = None
    stride: int | None = None
    tissue: Literal["otsu", "saturation"] = "otsu"
    coverage: float = 0.6
    threshold: float = 0.5

    def __post_init__(self) -> None:
        require_mpp(self.mpp)
        if not 0 < self.threshold <= 1:
            raise InputError(f"--threshold {self.threshold}: give a probability above 0, up to 1")
        if not 0 < self.coverage <= 1:
            raise InputError(f"--coverage {self.coverage}: give a share above 0, up to 1")

    def patch_mpp(self, predictor: Predictor) -> float:
        """Micrometres a pixel of the patches for `predictor`: what it was trained at, else `mpp`.

        Raises `InputError` where neither says it, and where they say different things.
        """
        known = predictor.mpp
        if known is None and self.mpp is None:
            raise InputError(
                f"{predictor.path}: does not say at how many micrometres a pixel it was trained; give --mpp"
            )
        if known is not None and self.mpp is not None and abs(self.mpp / known - 1) > CLOSE:
            raise InputError(f"--mpp {self.mpp:g}: {predictor.path} was trained at {known:.4g}; leave --mpp out")
        return float(known if known is not None else self.mpp or 0)

    def patch_stride(self, side: int) -> int:
        """Pixels from one patch of `side` pixels to the next; `InputError` where they would leave gaps."""
        stride = side if self.stride is None else self.stride
        if not 1 <= stride <= side:
            raise InputError(f"--stride {stride}: patches have {side} pixels; give 1 to {side}, or there would be gaps")
        return stride

    def as_json(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)
