"""Finds what is wrong with patch files, and which slides to make again."""

from collections.abc import Callable, Iterable
from pathlib import Path

import h5py
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.concept_file import concept_table, is_concept_file
from data_prep.store.duplicates import Duplicates
from data_prep.store.finding import Finding, slide_names
from data_prep.store.flat import flat_concepts, is_flat
from data_prep.store.flat_check import flat_problems
from data_prep.store.handle import reading
from data_prep.store.hierarchy import scan
from data_prep.store.opening import open_patches
from data_prep.store.patches import Patches
from data_prep.store.words import counted

# Wraps the iteration over the starts of the blocks of a file (second argument: its name), for a progress bar.
Progress = Callable[[Iterable[int], str], Iterable[int]]


def _silent(starts: Iterable[int], _: str) -> Iterable[int]:
    return starts


def verify(paths: Iterable[Path], progress: Progress = _silent) -> list[Finding]:
    """Check patch files of any layout, down to every pixel, and look for duplicate patches within and across them.

    A concept table of ours is checked too; in it, a concept without a value is no more than a warning.

    Problems: missing, truncated or foreign files, what points outside its file, unfinished stores, missing datasets,
    wrong dtypes and shapes, rows out of step, unreadable patches, unknown labels and roles, concepts without a single
    value, equal pixels under two patients or two labels. Warnings: missing locations, equal pixels within one patient.
    """
    findings: list[Finding] = []
    duplicates = Duplicates()
    for path in paths:
        structure = check_structure(path)
        findings += structure
        if any(finding.problem for finding in structure) or _is_table(path):
            continue
        try:
            with open_patches(path) as patches:
                findings += check_rows(path, patches.rows)
                findings += _check_pixels(path, patches, duplicates, progress)
        except InputError as error:
            findings.append(Finding(str(path), str(error).removeprefix(f"{path}: ")))
    return findings + duplicates.findings()


def check_structure(path: Path) -> list[Finding]:
    """What the datasets of `path` look like from outside: names, types, shapes, concepts."""
    name = str(path)
    try:
        with reading(path) as file:
            if is_concept_file(file):
                return [Finding(name, text, problem=False) for text in _empty_concepts(concept_table(file))]
            if is_flat(file):
                return _check_flat(name, file)
            result = scan(file)
    except InputError as error:
        return [Finding(name, str(error).removeprefix(f"{path}: "))]
    findings = [Finding(name, text, redo=(slide,)) for slide, text in result.problems]
    return findings + [Finding(name, text, problem=False) for _, text in result.warnings]


def _check_flat(name: str, file: h5py.File) -> list[Finding]:
    problems = flat_problems(file) or _empty_concepts(flat_concepts(file))
    findings = [Finding(name, text) for text in problems]
    if "checksums" not in file:
        text = "no checksums of the patches, so that damage to them goes unnoticed; convert the store into a new one"
        findings.append(Finding(name, text, problem=False))
    return findings


def _is_table(path: Path) -> bool:
    with reading(path) as file:
        return is_concept_file(file)


def _empty_concepts(concepts: pd.DataFrame) -> list[str]:
    empty = [str(name) for name in concepts if concepts[name].isna().all()]
    return [f"the concept {name} has no value in any row; measure it again or leave it out" for name in empty]


def check_rows(path: Path, rows: pd.DataFrame) -> list[Finding]:
    """Rows that are listed twice."""
    findings = []
    twice = rows[rows.duplicated(["source", "entry", "patch_no"]) & (rows["entry"] != "")]
    if len(twice):
        where = ", ".join(f"{row.source} {row.entry} #{row.patch_no}" for row in twice.head(3).itertuples())
        findings.append(Finding(str(path), f"{counted(len(twice), 'row')} for a patch that has a row already: {where}"))
    return findings


def _check_pixels(path: Path, patches: Patches, duplicates: Duplicates, progress: Progress) -> list[Finding]:
    """Read everything, block by block; a block that cannot be read names its slides."""
    findings = []
    for start in progress(range(0, len(patches), patches.block), path.name):
        rows = patches.rows.iloc[start : start + patches.block]
        try:
            block = patches.read(start, start + patches.block)
            if patches.mask_shape:
                patches.read_masks(start, start + patches.block)
        except InputError as error:
            text = str(error).removeprefix(f"{path}: ")
            findings.append(Finding(str(path), text, redo=tuple(sorted(set(slide_names(rows))))))
        else:
            duplicates.add(path, rows, block)
    return findings
