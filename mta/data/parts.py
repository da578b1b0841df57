"""A batch shared out over the replicas of a network, in parts of one size."""

from dataclasses import dataclass

import numpy as np

Arrays = dict[str, np.ndarray]
_UNLABELLED = {"tumor": -1.0, "domain": 0.0}  # concepts: NaN


@dataclass(frozen=True)
class Sharing:
    """Who reads what.

    Attributes:
        mine: numbers of the replicas of this process, one after the other.
        replicas: of all processes.
    """

    mine: range = range(1)
    replicas: int = 1

    def size(self, count: int) -> int:
        """Rows that every replica takes of a batch of `count`."""
        return -(-count // self.replicas)

    def part(self, count: int, replica: int) -> slice:
        """The rows of `replica` in a batch of `count`; fewer than `size`, or none, where they do not suffice."""
        size = self.size(count)
        return slice(min(count, replica * size), min(count, (replica + 1) * size))

    def own(self, count: int) -> slice:
        """The rows of all replicas of this process in a batch of `count`."""
        return slice(self.part(count, self.mine[0]).start, self.part(count, self.mine[-1]).stop)


def fill_up(inputs: Arrays, targets: Arrays, size: int) -> tuple[Arrays, Arrays]:
    """`inputs` and `targets` of up to `size` rows with rows added that have no label of any kind.

    Such a row changes no loss and no gradient. It looks like the last one, or is all zeros where there is none.
    """
    missing = size - len(targets["tumor"])
    if not missing:
        return inputs, targets
    images = {name: np.concatenate([x, np.repeat(_last(x), missing, axis=0)]) for name, x in inputs.items()}
    labels = {name: np.concatenate([y, _unlabelled(name, y, missing)]) for name, y in targets.items()}
    return images, labels


def _last(values: np.ndarray) -> np.ndarray:
    return values[-1:] if len(values) else np.zeros((1, *values.shape[1:]), values.dtype)


def _unlabelled(name: str, values: np.ndarray, count: int) -> np.ndarray:
    return np.full((count, *values.shape[1:]), _UNLABELLED.get(name, np.nan), values.dtype)
