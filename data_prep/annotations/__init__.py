"""Where pathologists drew tumor: ASAP XML, QuPath GeoJSON and mask images. See `docs/slides.md`."""

from data_prep.annotations.annotation import Annotation
from data_prep.annotations.matching import annotation_for
from data_prep.annotations.raster import rasterize, vectorize
from data_prep.annotations.reading import read_annotation

__all__ = ["Annotation", "annotation_for", "rasterize", "read_annotation", "vectorize"]
