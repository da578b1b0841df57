"""Batches for training, in an order that depends on (seed, epoch) alone."""

import numpy as np

from mta.data.balance import Balance
from mta.data.failing import Batches
from mta.data.inputs import BLOCK, Inputs
from mta.data.parts import Arrays, Sharing, fill_up


def epoch_order(rows: np.ndarray, seed: int, epoch: int, window: int) -> np.ndarray:
    """`rows` (distinct, or some repeated) shuffled for one epoch: blocks of 32 first, then windows of `window` rows.

    Neighbours in the file stay near each other in time, so that a batch touches few chunks; sets no larger than
    a window are shuffled completely. A pure function of its arguments, so that a resumed run sees what an
    undisturbed one would.
    """
    generator = np.random.default_rng((seed, epoch))
    blocks = np.array_split(rows, range(BLOCK, len(rows), BLOCK))
    mixed = np.concatenate([blocks[i] for i in generator.permutation(len(blocks))]) if len(rows) else rows
    for start in range(0, len(mixed), window):
        generator.shuffle(mixed[start : start + window])
    return mixed


class BatchReader(Batches):
    """Batches `(inputs, targets)` for the training model.

    Args:
        inputs: of the network, for rows of the store.
        balance: which rows of the store to read, and how often.
        targets: task name -> (all rows, …) float32 true values.
        batch_size: patches a batch; the last batch of an epoch may be smaller.
        seed: of the order, and of the views where `inputs` has several of each row.
        shuffle: False reads in file order (the original's baseline).
        whole_batches: leave the last batch out when it is smaller (the original does).
        redrawn: targets that are drawn anew from a standard normal at every access (the original's control).

    The training loop calls `set_epoch` before each epoch.
    """

    def __init__(
        self,
        inputs: Inputs,
        balance: Balance,
        targets: dict[str, np.ndarray],
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        whole_batches: bool = False,
        redrawn: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self._inputs, self._balance, self._targets = inputs, balance, targets
        self._batch_size, self._seed, self._shuffle = batch_size, seed, shuffle
        self._whole, self._redrawn = whole_batches, redrawn
        self._epoch, self._sharing = -1, Sharing()
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Take up the order of `epoch` (counted from 0 over the whole run)."""
        if epoch == self._epoch:
            return  # Keras has asked for its first batches already
        self._epoch = epoch
        rows = self._balance.draw(self._seed, epoch)
        self.order = epoch_order(rows, self._seed, epoch, self._inputs.window) if self._shuffle else rows
        self._serve()

    def share(self, sharing: Sharing) -> None:
        """Read only what `part` will be asked for from now on."""
        self._sharing = sharing
        self._serve()

    def _serve(self) -> None:
        starts = np.arange(len(self)) * self._batch_size
        owned = [start + np.arange(self._count(k))[self._sharing.own(self._count(k))] for k, start in enumerate(starts)]
        self._served = np.concatenate(owned)  # positions in the order, ascending
        self._inputs.start(self.order[self._served])

    def _count(self, index: int) -> int:
        """Rows of batch `index`."""
        return min(self._batch_size, len(self.order) - index * self._batch_size)

    def __len__(self) -> int:
        whole = len(self.order) // self._batch_size
        return max(1, whole) if self._whole else -(-len(self.order) // self._batch_size)

    def batch(self, index: int) -> tuple[Arrays, Arrays]:
        """Inputs of the training model and targets of its outputs."""
        return _for_training(*self._read(index, slice(0, self._count(index))))

    def part(self, index: int, replica: int) -> tuple[Arrays, Arrays, np.float32]:
        """What `replica`, one of this process, takes of batch `index`, and how many rows the whole of it has."""
        count = self._count(index)
        mine = self._read(index, self._sharing.part(count, replica))
        return *_for_training(*fill_up(*mine, self._sharing.size(count))), np.float32(count)

    def _read(self, index: int, part: slice) -> tuple[Arrays, Arrays]:
        start, count = index * self._batch_size, self._count(index)
        rows = self.order[start : start + count]
        generator = np.random.default_rng((self._seed, self._epoch, index))
        views = generator.integers(self._inputs.views, size=count)[part]
        true = {name: values[rows[part]] for name, values in self._targets.items()}
        true |= {name: generator.standard_normal((count, 1)).astype("float32")[part] for name in self._redrawn}
        first, last = np.searchsorted(self._served, (start + part.start, start + part.stop))
        return self._inputs.between(int(first), int(last), views), true


def _for_training(inputs: Arrays, true: Arrays) -> tuple[Arrays, Arrays]:
    labels = {f"y_{name}": values for name, values in true.items()}
    # Keras wants a target for every output; nothing looks at the one for the scalar loss.
    return {**inputs, **labels}, {**true, "loss": np.zeros_like(true["tumor"])}
