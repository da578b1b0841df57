"""The one door to slides."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from data_prep.errors import InputError
from data_prep.slides.image_file import ImageFile
from data_prep.slides.openslide_file import OpenSlideFile
from data_prep.slides.resolution import decide_mpp
from data_prep.slides.slide import Slide
from data_prep.slides.source import RefusedError, Source
from data_prep.slides.tiff_file import TiffPyramid
from data_prep.slides.tiled_file import VENDORS, TiledFile


def open_slide(path: str | Path, mpp: float | None = None) -> Slide:
    """Open a whole slide or an image: through OpenSlide, else tifffile, else Pillow.

    `mpp`: micrometres a level-0 pixel, in place of what the file says; it is never guessed. Raises `InputError` where
    there is no such file, none of the three can open it, or the scale is unknown.
    """
    path = Path(path)
    source = open_source(path)
    try:
        return Slide(path, source, decide_mpp(path, mpp, None if mpp is not None else source.mpp()))
    except InputError:
        source.close()
        raise


def open_source(path: Path) -> Source:
    """The pixels of a slide or image, whether or not their scale is known. Raises `InputError` as `open_slide`."""
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the path")
    readers: dict[str, Callable[[Path], Source]] = {"OpenSlide": _scanned, "tifffile": TiffPyramid, "Pillow": ImageFile}
    reasons = []
    for name, reader in readers.items():
        try:
            return reader(path)
        except RefusedError as error:
            reasons.append(f"{name}: {' '.join(str(error).split())}")
    raise InputError(f"{path}: not a slide or image that can be opened ({'; '.join(reasons)}); is the copy complete?")


def _scanned(path: Path) -> Source:
    """`path` through OpenSlide, but for plain TIFFs of which it would give less than is there, or only give it later.

    It leaves out levels and scale of OME-TIFFs, does not say what was gray, and gets 16-bit gray wrong (4.0.1).
    """
    slide = OpenSlideFile(path)
    if slide.vendor in VENDORS:
        with suppress(RefusedError):
            pyramid = TiffPyramid(path)
            if slide.vendor == "generic-tiff" and (pyramid.is_ome or pyramid.notes):
                slide.close()
                return pyramid
            if pyramid.sizes == slide.sizes:
                return TiledFile(slide, pyramid)
            pyramid.close()
    return slide
