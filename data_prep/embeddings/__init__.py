"""Embeddings of patches that others computed, one HDF5 file a slide, with labels. See `docs/embeddings.md`."""

from data_prep.embeddings.embeddings import Embeddings
from data_prep.embeddings.opening import is_embeddings, named_files, open_embeddings

__all__ = ["Embeddings", "is_embeddings", "named_files", "open_embeddings"]
