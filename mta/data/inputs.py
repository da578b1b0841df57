"""What a network is fed for the rows of a store."""

from typing import Any, Protocol

import numpy as np

from mta.data.window import Windows

BLOCK = 32  # patches: a chunk of the store
WINDOW_BYTES = 256 * 2**20
EMBEDDING_BYTES = 128 * 2**20


class Inputs(Protocol):
    """Input name of a network -> array for any rows of a store.

    `window`: how many rows of an order are shuffled together (`mta.data.reader.epoch_order`). `views`: how many
    dihedral views of a row there are to choose from, 1 or 8.
    """

    window: int
    views: int

    def prepare(self, rows: np.ndarray, quiet: bool) -> None:
        """Do ahead what can be done for `rows` once and for all."""

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs for `rows` (n,), positions in the store, in their order."""

    def start(self, order: np.ndarray) -> None:
        """Serve the rows `order` (n,) by `between` from now on."""

    def between(self, start: int, stop: int, views: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs for the positions `start` to `stop` of the order, in their `views` (n,), all 0 where there is one."""

    def close(self) -> None:
        """Let go of files."""


class PatchInputs:
    """Stain-normalized patches as the input `image`, (n, h, w, 3) uint8.

    With eight views there is the input `views` (n,) as well: patches are turned on the device, by `RandomDihedral`.

    Of the patches, a window of 256 MiB at most is in memory.

    Args:
        patches: open store.
        normalizer: fitted stain normalizer, or None.
        views: to choose from, 1 or 8.
    """

    def __init__(self, patches: Any, normalizer: Any = None, views: int = 1) -> None:
        self._patches, self.normalizer, self.views = patches, normalizer, views
        height, width = patches.size
        self.window = max(BLOCK, WINDOW_BYTES // (height * width * 3))
        self._windows = Windows(patches, self.window, (height, width, 3), np.uint8)

    def prepare(self, rows: np.ndarray, quiet: bool) -> None:
        """Nothing: patches are read when they are asked for."""

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.take`."""
        return self._fed(self._patches.take(rows), np.zeros(len(rows), int))

    def start(self, order: np.ndarray) -> None:
        """`Inputs.start`."""
        self._windows.start(order)

    def between(self, start: int, stop: int, views: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.between`."""
        return self._fed(self._windows.between(start, stop), views)

    def _fed(self, images: np.ndarray, views: np.ndarray) -> dict[str, np.ndarray]:
        image = {"image": normalized(images, self.normalizer)}
        return image if self.views == 1 else {**image, "views": views.astype(np.int32)}

    def close(self) -> None:
        """Nothing: the store is closed by whoever opened it."""


class EmbeddingInputs:
    """Precomputed embeddings as the input `embedding`, (n, width) float32; they have no other view than their own.

    Of them, a window of 128 MiB at most is in memory.

    Args:
        embeddings: open embeddings.
    """

    views = 1

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

    def between(self, start: int, stop: int, views: np.ndarray) -> dict[str, np.ndarray]:
        """`Inputs.between`."""
        return {"embedding": self._windows.between(start, stop)}

    def close(self) -> None:
        """Nothing: the embeddings are closed by whoever opened them."""


def normalized(images: np.ndarray, normalizer: Any) -> np.ndarray:
    """`images` (n, h, w, 3) uint8 with their stain normalized, unless `normalizer` is None."""
    return images if normalizer is None else normalizer.transform(images)
