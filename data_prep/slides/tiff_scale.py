"""The scale of a TIFF: OME-XML in its description, or its resolution tags."""

from typing import Any
from xml.etree.ElementTree import Element

from data_prep.errors import InputError

_MICROMETRES = {"µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "Å": 1e-4, "in": 25400.0}
_ENTITIES = "XML with entities or a document type"
_AN_INCH, _A_CENTIMETRE = 25400.0, 1e4


def parse_description(text: str) -> Element | None:
    """The XML in a TIFF description, None where it holds none or is not well-formed.

    It comes before tifffile's own parsing, and like that parses characters, for which a declared encoding does not
    count: ValueError on entities and document types.
    """
    if not text.lstrip("\ufeff \r\n\t").startswith("<"):
        return None
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError:
        raise InputError('XML is read by defusedxml, which is missing: pip install "mta[slides]"') from None
    try:
        return fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ValueError(_ENTITIES) from error
    except (ParseError, ValueError, LookupError) as error:
        if "<!DOCTYPE" in text:  # not for another parser to try
            raise ValueError(_ENTITIES) from error
        return None


def ome_mpp(root: Element) -> tuple[float | None, float | None]:
    """Width and height of a pixel of the first OME image in micrometres, None where not said."""
    pixels = next((node for node in root.iter() if node.tag.rpartition("}")[2] == "Pixels"), None)
    if pixels is None:
        return None, None
    return _length(pixels, "PhysicalSizeX"), _length(pixels, "PhysicalSizeY")


def _length(pixels: Element, name: str) -> float | None:
    unit = _MICROMETRES.get(pixels.get(f"{name}Unit", "µm"))
    try:
        return float(pixels.get(name, "")) * unit if unit else None
    except ValueError:
        return None


def tag_mpp(page: Any) -> tuple[float | None, float | None]:
    """Width and height of a pixel in micrometres from the tags of `page`, None without a unit."""
    unit = page.tags.get("ResolutionUnit")
    length = {2: _AN_INCH, 3: _A_CENTIMETRE}.get(int(unit.value) if unit else 2)
    return _step(page.tags.get("XResolution"), length), _step(page.tags.get("YResolution"), length)


def _step(tag: Any, length: float | None) -> float | None:
    if tag is None or length is None:
        return None
    try:
        above, below = tag.value
        return length * below / above
    except (TypeError, ValueError, ZeroDivisionError):
        return None
