"""Every concept that is measured here: name, unit, meaning, and what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from data_prep.concepts import color, shape, texture
from data_prep.concepts.patch import Patch

Measurer = Callable[[Patch], Mapping[str, float]]


@dataclass(frozen=True)
class Concept:
    """What a column of a concept table is.

    `measurer` gives it, at times with others, for a patch; `needs_nuclei`: from the nuclei's labels; `needs_mpp`: in
    micrometres, NaN where the resolution is unknown.
    """

    name: str
    unit: str
    description: str
    measurer: Measurer
    needs_nuclei: bool = True
    needs_mpp: bool = False


_BUILT_IN = (
    Concept("ncount", "nuclei", "number of nuclei", shape.counts),
    Concept("ndensity", "1/mm2", "nuclei for each square millimetre of the patch", shape.counts, needs_mpp=True),
    Concept("narea", "px", "mean area of the nuclei", shape.areas),
    Concept("narea_um2", "um2", "mean area of the nuclei", shape.areas, needs_mpp=True),
    Concept("narea_std", "px", "standard deviation of the nuclei's areas", shape.areas),
    Concept("narea_std_um2", "um2", "standard deviation of the nuclei's areas", shape.areas, needs_mpp=True),
    Concept("nperimeter", "px", "mean perimeter of the nuclei", shape.outlines),
    Concept("nperimeter_um", "um", "mean perimeter of the nuclei", shape.outlines, needs_mpp=True),
    Concept("nsolidity", "1", "mean share of a nucleus in its convex hull", shape.outlines),
    Concept("neccentricity", "1", "mean eccentricity of the nuclei", shape.elongation),
    Concept("ntissue_ratio", "1", "share of the tissue that is nuclei", color.tissue),
    Concept("nuclei_contrast", "gray levels2", "GLCM contrast inside nuclei", texture.nuclei_texture),
    Concept("nuclei_correlation", "1", "GLCM correlation inside nuclei", texture.nuclei_texture),
    Concept("full_contrast", "gray levels2", "GLCM contrast of the patch", texture.full_texture, needs_nuclei=False),
    Concept("full_correlation", "1", "GLCM correlation of the patch", texture.full_texture, needs_nuclei=False),
    Concept("hematoxylin_mean", "OD", "mean density of hematoxylin", color.hematoxylin, needs_nuclei=False),
    Concept("hematoxylin_entropy", "bit", "entropy of hematoxylin", color.hematoxylin, needs_nuclei=False),
    Concept("colorfulness", "gray levels", "Hasler and Süsstrunk's", color.colorfulness, needs_nuclei=False),
)
BUILT_IN = {concept.name: concept for concept in _BUILT_IN}
ORIGINAL = ("full_contrast", "full_correlation", "narea", "ncount", "nuclei_contrast", "nuclei_correlation")
"""The six of the original's concept file."""
UNITS = {concept.name: concept.unit for concept in _BUILT_IN}
"""Unit of each concept that is built in; powers follow the unit ("um2" is µm²), "1" has none."""
