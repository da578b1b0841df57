"""Nuclei of a patch: a classical segmenter without weights, and others behind the same door. See `docs/nuclei.md`."""

from data_prep.nuclei.classical import segment
from data_prep.nuclei.labels import merge_classes, renumber, without_border
from data_prep.nuclei.overlay import contact_sheet, draw_contours
from data_prep.nuclei.segmenters import Segmenter, make_segmenter
from data_prep.nuclei.store import store_nuclei

__all__ = [
    "Segmenter",
    "contact_sheet",
    "draw_contours",
    "make_segmenter",
    "merge_classes",
    "renumber",
    "segment",
    "store_nuclei",
    "without_border",
]
