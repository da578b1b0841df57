"""Training rows in equal shares of their classes, centres, or both."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_prep.console import warn

COLUMNS = {"none": [], "class": ["label"], "centre": ["centre"], "class-centre": ["label", "centre"]}
_ABSENT = {"label": -1, "centre": ""}


@dataclass(frozen=True)
class Balance:
    """Which rows an epoch shows, and how often.

    Attributes:
        ungrouped: rows without label or centre: once an epoch each, as they belong to no group.
        groups: rows of each group that has any; an epoch shows as many rows of one as of another, up to one.
    """

    ungrouped: np.ndarray
    groups: list[np.ndarray]

    def draw(self, seed: int, epoch: int) -> np.ndarray:
        """The rows of `epoch` (from 0): as many as there are, some of them repeated and others left out.

        Each group is shuffled and dealt out from epoch to epoch, and shuffled anew when it is exhausted, so that of its
        rows none is shown twice before all others were. Rows that an epoch shows for the first time come first, in
        the order of the store, then those shown again: neighbours in the file stay together. A pure function of
        its arguments.
        """
        shares = zip(self.groups, self._quotas(), strict=True)
        dealt = [_dealt(group, quota, (seed, number), epoch) for number, (group, quota) in enumerate(shares)]
        rows = np.sort(np.concatenate([self.ungrouped, *dealt]))
        firsts = np.flatnonzero(np.r_[True, np.diff(rows) > 0]) if len(rows) else np.empty(0, int)
        repeats = np.diff(np.r_[firsts, len(rows)])
        times = np.arange(len(rows)) - np.repeat(firsts, repeats)
        return rows[np.lexsort((rows, times))]

    def weights(self, count: int) -> np.ndarray:
        """(count,) how often an epoch shows each row of the store on average; 0 for those that do not train."""
        weights = np.zeros(count)
        weights[self.ungrouped] = 1.0
        for group, quota in zip(self.groups, self._quotas(), strict=True):
            weights[group] = quota / len(group)
        return weights

    def _quotas(self) -> list[int]:
        """Rows of each group in an epoch."""
        share, more = divmod(sum(map(len, self.groups)), max(1, len(self.groups)))
        return [share + (number < more) for number in range(len(self.groups))]


def make_balance(rows: pd.DataFrame, training: np.ndarray, kind: str) -> Balance:
    """The groups of the `training` rows (positions, ascending) of a store by `kind`, a key of `COLUMNS`.

    With "none" there are none: every row once an epoch. Warns of rows that lack what the groups are made by.
    """
    columns = COLUMNS[kind]
    if not columns:
        return Balance(training, [])
    table = rows.iloc[training][columns]
    known = np.all([(table[column] != _ABSENT[column]).to_numpy() for column in columns], axis=0)
    if not known.all():
        warn(
            f"--balance {kind}: {np.count_nonzero(~known)} of {len(training)} training rows lack "
            f"{' or '.join(columns)}; they are in no group and come once an epoch"
        )
    groups = table[known].groupby(columns, sort=True).indices.values()
    return Balance(training[~known], [training[known][np.sort(places)] for places in groups])


def _dealt(group: np.ndarray, quota: int, seed: tuple[int, int], epoch: int) -> np.ndarray:
    """The `quota` rows of `group` that are up in `epoch`, of one endless row of shuffles."""
    start = epoch * quota
    first, last = start // len(group), -(-(start + quota) // len(group))
    # The 1 keeps apart from the generators of order and views, whose seeds have fewer numbers.
    rounds = [np.random.default_rng((*seed, number, 1)).permutation(group) for number in range(first, last)]
    offset = start - first * len(group)
    return np.concatenate(rounds)[offset : offset + quota] if rounds else group[:0]
