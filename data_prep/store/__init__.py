"""Patch files: every layout is read, one is written. See `docs/formats.md`."""

from data_prep.store.attributes import read_attribute
from data_prep.store.concept_file import write_concepts
from data_prep.store.concepts import STANDARDIZED, align_concepts, open_concepts
from data_prep.store.opening import open_patches, require_apart
from data_prep.store.original import read_original_split
from data_prep.store.patches import Patches
from data_prep.store.rows import KEY, LABELS, ROLES, ROW_COLUMNS, complete_rows, make_rows
from data_prep.store.writer import StoreWriter, write_store

__all__ = [
    "KEY",
    "LABELS",
    "ROLES",
    "ROW_COLUMNS",
    "STANDARDIZED",
    "Patches",
    "StoreWriter",
    "align_concepts",
    "complete_rows",
    "make_rows",
    "open_concepts",
    "open_patches",
    "read_attribute",
    "read_original_split",
    "require_apart",
    "write_concepts",
    "write_store",
]
