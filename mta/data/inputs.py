"""What a network is fed for the rows of a store."""

from typing import Any, Protocol

import numpy as np

from mta.data.views import dihedral
from mta.data.window import Windows

BLOCK = 32  # patches: a chunk of the store
WINDOW_BYTES = 256 * 2**20
EMBEDDING_BYTES = 64 * 2**20


class Inputs(Protocol):
    """Input name of a network -> array for any rows of a store.

    `window`: how many rows of an order are shuffled together (`mta.data.reader.epoch_order`).
    """

    window: int

    def prepare(self, rows: np.ndarray, quiet: bool) -> None:
        """Do ahead what can be done for `rows` once and for all."""

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs for `rows` (n,), positions in the store, in their order."""

    def start(self, order: np.ndarray) -> None:
        """Serve the rows `order` (n,) by `between` from now on."""

    def between(self, start: int, stop: int, views: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Inputs for the positions `start` to `stop` of the order, in the dihedral `views` (n,) where given."""

    def close(self) -> None:
        """Let go of files."""


class PatchInputs:
    """Stain-normalized patches as the input `image`, (n, h, w, 3) uint8.

    Of the patches, two windows of 256 MiB at most are in memory.

    Args:
        patches: open store.
        normalizer: fitted stain normalizer, or None.
    """

    def __init__(self, patches: Any, normalizer: Any = None) -> None:
        self._patches, self.normalizer = patches, normalizer
        height, width = patches.size
        self.window = max(BLOCK, WINDOW_BYTES // (height * width * 3))
        self._windows = Windows(patches, self.window, (height, width, 3), np.uint8)

    def prepare(self, rows: np.ndarray, quiet: bool) -> None:
        """Nothing: patches are read when they are asked for."""

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.take`."""
        return {"image": normalized(self._patches.take(rows), self.normalizer)}

    def start(self, order: np.ndarray) -> None:
        """`Inputs.start`."""
        self._windows.start(order)

    def between(self, start: int, stop: int, views: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """`Inputs.between`."""
        images = normalized(self._windows.between(start, stop), self.normalizer)
        return {"image": images if views is None else dihedral(images, views)}

    def close(self) -> None:
        """Nothing: the store is closed by whoever opened it."""


class EmbeddingInputs:
    """Precomputed embeddings as the input `embedding`, (n, width) float32.

    Of them, two windows of 64 MiB at most are in memory.

    Args:
        embeddings: open embeddings.
    """

    def __init__(self, embeddings: Any) -> None:
        self._embeddings = embeddings
        self.window = max(BLOCK, EMBEDDING_BYTES // (embeddings.width * 4))
        self._windows = Windows(embeddings, self.window, (embeddings.width,), np.float32)

    def prepare(self, rows: np.ndarray, quiet: bool) -> None:
        """Nothing: embeddings are read when they are asked for."""

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.take`."""
        return {"embedding": self._embeddings.take(rows)}

    def start(self, order: np.ndarray) -> None:
        """`Inputs.start`."""
        self._windows.start(order)

    def between(self, start: int, stop: int, views: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """`Inputs.between`; an embedding has no other view than its own."""
        return {"embedding": self._windows.between(start, stop)}

    def close(self) -> None:
        """Nothing: the embeddings are closed by whoever opened them."""


def normalized(images: np.ndarray, normalizer: Any) -> np.ndarray:
    """`images` (n, h, w, 3) uint8 with their stain normalized, unless `normalizer` is None."""
    return images if normalizer is None else normalizer.transform(images)
