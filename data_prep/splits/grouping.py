"""Patient-disjoint splits and folds, stratified by class and centre.

Whole patients are dealt out, the largest first, each to the part whose (class, centre) counts, and count in all, it
brings nearest to their targets. As a squared distance relative to the target, so that rare strata weigh as much as
common ones.
Patients who share a slide are dealt out as one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data_prep.console import warn
from data_prep.errors import InputError
from data_prep.splits.roles import inseparable_keys, warn_of_unknown_patients
from data_prep.store.words import counted

FRACTIONS = (0.7, 0.15, 0.15)
VALIDATION_FRACTION = 0.15


def split_by_patient(
    rows: pd.DataFrame,
    seed: int,
    fractions: tuple[float, float, float] = FRACTIONS,
    external_centres: Sequence[str] = (),
) -> np.ndarray:
    """A role for every row (n,) such that no patient and no slide has two.

    `fractions` are the shares of patches for train, validation and internal test (sum 1; 0 leaves a role out).
    Every patient with a patch of `external_centres` is external test. Patients without any labelled patch are
    train. The same rows and seed give the same split. Raises `InputError` for fractions or centres that do not
    fit, and when there are fewer patients than roles to fill.
    """
    shares = _checked_fractions(fractions)
    warn_of_unknown_patients(rows)
    keys = inseparable_keys(rows)
    external = _external(rows, keys, external_centres)
    roles = np.where(external, "external_test", "train").astype(object)
    free = ~external & _of_labelled_patient(rows, keys)
    parts = _deal(rows[free], keys[free], list(shares.values()), seed)
    roles[free] = np.array(list(shares), dtype=object)[parts]
    return roles.astype(str)


def fold_roles(rows: pd.DataFrame, folds: int, seed: int) -> list[np.ndarray]:
    """`folds` role arrays (n,): in the k-th, fold k of the patients is internal test.

    About 15 % of the others are validation, the rest train. Patients and slides never straddle, folds are stratified by
    class and centre, and every labelled row is tested in exactly one fold. Patients without any labelled patch
    are train throughout. Raises `InputError` when there are fewer labelled patients than folds.
    """
    if folds < 2:
        raise InputError(f"{folds} folds: at least 2 are needed")
    warn_of_unknown_patients(rows)
    keys = inseparable_keys(rows)
    labelled = _of_labelled_patient(rows, keys)
    part = np.full(len(rows), -1)
    part[labelled] = _deal(rows[labelled], keys[labelled], [1 / folds] * folds, seed)
    return [_one_fold(rows, keys, part, fold, seed) for fold in range(folds)]


def _one_fold(rows: pd.DataFrame, keys: np.ndarray, part: np.ndarray, fold: int, seed: int) -> np.ndarray:
    roles = np.where(part == fold, "internal_test", "train").astype(object)
    rest = (part >= 0) & (part != fold)
    shares = [1 - VALIDATION_FRACTION, VALIDATION_FRACTION]
    roles[rest] = np.array(["train", "validation"], dtype=object)[_deal(rows[rest], keys[rest], shares, seed)]
    return roles.astype(str)


def _checked_fractions(fractions: tuple[float, float, float]) -> dict[str, float]:
    if len(fractions) != 3 or not (min(fractions) >= 0 and abs(sum(fractions) - 1) <= 1e-6 and fractions[0] > 0):
        raise InputError(f"fractions {fractions}: give three shares (train, validation, internal test) that sum to 1")
    names = ("train", "validation", "internal_test")
    return {name: share for name, share in zip(names, fractions, strict=True) if share > 0}


def external_rows(rows: pd.DataFrame, centres: Sequence[str]) -> np.ndarray:
    """Whether each row (n,) is of a patient with a patch of `centres`; `InputError` for a centre that no patch has."""
    if not centres:
        return np.zeros(len(rows), dtype=bool)
    return _external(rows, inseparable_keys(rows), centres)


def _external(rows: pd.DataFrame, keys: np.ndarray, centres: Sequence[str]) -> np.ndarray:
    known = set(rows["centre"])
    if missing := [centre for centre in centres if centre not in known]:
        raise InputError(f"external centre {missing[0]!r}: no patch has it; centres are {', '.join(sorted(known))}")
    chosen = rows["centre"].isin(list(centres)).to_numpy()
    whole = np.isin(keys, keys[chosen])
    if (count := int((whole & ~chosen).sum())) > 0:
        warn(f"{count} patches of other centres are external test too, as their patients are")
    return whole


def _of_labelled_patient(rows: pd.DataFrame, keys: np.ndarray) -> np.ndarray:
    return np.isin(keys, keys[(rows["label"] >= 0).to_numpy()])


def _deal(rows: pd.DataFrame, keys: np.ndarray, shares: list[float], seed: int) -> np.ndarray:
    """A part number for every row (n,), equal within a patient."""
    patients, patient = np.unique(keys, return_inverse=True)
    if len(patients) < len(shares):
        raise InputError(
            f"{counted(len(patients), 'patient')} with labels for {len(shares)} parts: fewer patients than parts "
            "(those who share a slide count once); ask for fewer folds or roles, or add patients"
        )
    counts = _stratum_counts(rows, patient, len(shares))
    return _allocate(counts, np.asarray(shares), np.random.default_rng(seed))[patient]


def _stratum_counts(rows: pd.DataFrame, patient: np.ndarray, parts: int) -> np.ndarray:
    """The patches of each patient (lines) in each stratum, and in all.

    Strata of fewer patients than `parts` cannot be divided; they count together, class by class. Otherwise each of
    them would pull into the part with the largest target, and no part would miss what it lacks in all.
    """
    label, number = rows["label"].astype(str).reset_index(drop=True), pd.Series(patient)
    names = label + " " + rows["centre"].astype(str).reset_index(drop=True)
    names = names.where(number.groupby(names).transform("nunique") >= parts, label)
    strata, stratum = np.unique(names.to_numpy(str), return_inverse=True)
    counts = np.zeros((patient.max(initial=-1) + 1, len(strata)))
    np.add.at(counts, (patient, stratum), 1)
    return np.column_stack([counts, counts.sum(axis=1)])


def _allocate(counts: np.ndarray, shares: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A part for each group (groups,), given its patches in each stratum (groups, strata)."""
    target = np.outer(shares, counts.sum(axis=0))
    filled, taken = np.zeros_like(target), np.zeros(len(shares), dtype=bool)
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    parts = np.empty(len(counts), dtype=int)
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        cost = (counts[group] * (counts[group] + 2 * (filled - target)) / target).sum(axis=1)
        if left <= (~taken).sum():  # the last groups go where there is none yet
            cost[taken] = np.inf
        part = int(cost.argmin())
        parts[group], taken[part] = part, True
        filled[part] += counts[group]
    return parts
