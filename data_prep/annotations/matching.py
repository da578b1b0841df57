"""Which annotation belongs to which slide."""

from pathlib import Path

from data_prep.errors import InputError

_DRAWN, _PAINTED = (".xml", ".geojson", ".json"), (".png", ".tif", ".tiff")
_MASK = "_mask"


def annotation_for(slide_path: str | Path, folder: str | Path) -> Path | None:
    """The annotation of a slide in `folder`: the file of the slide's own name, None where there is none.

    `tumor_001.tif` has `tumor_001.xml`, `.geojson`, `.json`, or the mask image `tumor_001_mask.png`, `.tif` or `.tiff`;
    upper and lower case are one. In a folder without the slide the mask may have its plain name. Raises `InputError`
    where there are two, or no such folder.
    """
    slide, folder = Path(slide_path), Path(folder)
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: no folder of annotations ({error.strerror}); check its path") from error
    apart = slide.parent.resolve() != folder.resolve()
    found = [file for file in files if _belongs(file, slide.stem.casefold(), apart)]
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise InputError(f"{folder}: {names} are all named after slide {slide.stem}; keep one of them there")
    return found[0] if found else None


def could_belong(file: Path) -> bool:
    """Whether `file` is of a kind that annotations are, by its ending."""
    return file.suffix.casefold() in (*_DRAWN, *_PAINTED)


def _belongs(file: Path, slide: str, apart: bool) -> bool:
    stem, ending = file.stem.casefold(), file.suffix.casefold()
    painted = ending in _PAINTED and (stem == slide + _MASK or (apart and stem == slide))
    return painted or (ending in _DRAWN and stem == slide)
