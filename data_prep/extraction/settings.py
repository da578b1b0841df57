"""How patches are cut; recorded with every slide's state and in the store."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from data_prep.errors import InputError
from data_prep.sampling.judge import Limits
from data_prep.sampling.original import PATCHES
from data_prep.store.part import MAX_SIDE

Sampling = Literal["random", "grid", "original"]
Tissue = Literal["otsu", "saturation"]
MPP = 0.25


@dataclass(frozen=True)
class ExtractionSettings:
    """Everything that decides which patches come out of a slide; equal settings give equal patches.

    `mpp`: micrometres a pixel of the patches, None for 0.25; sampling `original` reads level 0 itself and takes none.
    `size`: edge of a patch in pixels. `count`: patches of each class and slide, None for 500; a grid takes all.
    `stride`: pixels of the patches between places of a grid, None for `size`. `coverage` (0..1): least share of tissue
    or annotation. `margin`: level-0 pixels to keep free along the edges, None for 0, or the original's with its
    sampling. `geojson_in_bounds`: as in `read_annotation`. Raises `InputError` on a value outside of its range, or one
    that its sampling does not know.
    """

    mpp: float | None = None
    size: int = 224
    tissue: Tissue = "otsu"
    sampling: Sampling = "random"
    count: int | None = None
    stride: int | None = None
    coverage: float = 0.6
    limits: Limits = field(default_factory=Limits)
    margin: int | None = None
    seed: int = 0
    allow_upsampling: bool = False
    geojson_in_bounds: bool = True

    def __post_init__(self) -> None:
        _within("mpp", self.mpp, 0.01, 100)
        _within("size", self.size, 8, MAX_SIDE)
        _within("n", self.count, 1, 1_000_000)
        _within("stride", self.stride, 1, 1_000_000)
        _within("coverage", self.coverage, 0.01, 1)
        _within("margin", self.margin, 0, 10_000_000)
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("white-level", self.limits.white_level, 0, 255)
        _within("white-share", self.limits.white_share, 0, self.limits.white_share_max)
        _within("white-share-max", self.limits.white_share_max, 0, 1)
        _within("least-mean", self.limits.least_mean, 0, 255)
        self._check_sampling()

    def _check_sampling(self) -> None:
        if self.sampling == "grid" and self.count is not None:
            raise InputError("--n is for random and original sampling; a grid takes every place that --stride gives")
        if self.sampling != "grid" and self.stride is not None:
            raise InputError(f"--stride is for --sampling grid; with {self.sampling} sampling give --n")
        if self.sampling == "original" and self.mpp is not None:
            raise InputError("--mpp is for random and grid sampling; the original reads level 0 as it is: leave it out")

    @property
    def wanted(self) -> int | None:
        """Patches of each class and slide; None for all that a grid has."""
        return None if self.sampling == "grid" else self.count or PATCHES

    def patch_mpp(self, level0: float) -> float:
        """Micrometres a pixel of the patches of a slide with `level0` micrometres a pixel."""
        return self.mpp or (level0 if self.sampling == "original" else MPP)

    def as_json(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self)


def _within(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise InputError(f"--{name} is {value}: give a value from {least:g} to {most:g}")
