"""Writes the flat patch store block by block, whole or not at all."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
import pandas as pd

from data_prep.errors import InputError
from data_prep.store.flat import CHUNK, FORMAT, VERSION
from data_prep.store.hierarchy import ORIGIN_COLUMNS
from data_prep.store.output import hdf5_output
from data_prep.store.part import size_problem
from data_prep.store.rows import ROW_COLUMNS, complete_rows, join_rows, text_column
from data_prep.store.sealed import add_group, set_text, write_column, write_text
from data_prep.store.sums import patch_sums

LARGEST_LABEL = 2**16 - 1


class StoreWriter:
    """A context manager that streams patches into a flat store; memory holds one block and the row table.

    `path`: the store to make (an old one is replaced when the new one is complete). `size`: (height, width) in
    pixels. `concepts`: unit of each concept, by name. `mask_shape`: (h, w) for label maps, (h, w, 6) for PanNuke's,
    () for none. `origin`: `Patches.origin` where the patches come from an original layout. `attributes`: JSON texts of
    the store's making, by a name in `ATTRIBUTES`. `durable`: as in `data_prep.files.replacing`.

    Leaving the block normally completes and renames the file; an exception leaves nothing behind. A full disk, a
    quota or a file-size limit is an `InputError`.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        concepts: Mapping[str, str] | None = None,
        mask_shape: tuple[int, ...] = (),
        origin: pd.DataFrame | None = None,
        attributes: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        self._path, self._size, self._mask_shape = Path(path), size, mask_shape
        self._units, self._origin = dict(concepts or {}), origin
        self._attributes, self._durable = dict(attributes or {}), durable
        if unfit := [name for name in self._units if not name or "/" in name]:
            raise InputError(f"{path}: a concept cannot be named {unfit[0]!r}; rename it, without a slash")
        if problem := size_problem(size):
            raise InputError(f"{path}: the patches {problem}; cut them smaller")
        self._rows: list[pd.DataFrame] = []
        self._concepts: list[np.ndarray] = []
        self._sums: list[np.ndarray] = []
        self._count = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._output = stack.enter_context(hdf5_output(self._path, checked=True, durable=self._durable))
            with self._output.writing(0):
                self._create(self._output.file)
            self._stack = stack.pop_all()
        return self

    def _create(self, file: h5py.File) -> None:
        shape = (*self._size, 3)
        self._patches = file.create_dataset(
            "patches", (0, *shape), "uint8", maxshape=(None, *shape), chunks=(CHUNK, *shape)
        )
        if self._mask_shape:
            # Mostly zeros, so compressed; rows without a mask are never written and take no space.
            self._masks = file.create_dataset(
                "masks",
                (0, *self._mask_shape),
                "uint16",
                maxshape=(None, *self._mask_shape),
                chunks=(1, *self._mask_shape),
                compression="gzip",
                compression_opts=1,
            )

    def append(
        self,
        patches: np.ndarray,
        rows: pd.DataFrame,
        concepts: Mapping[str, np.ndarray] | pd.DataFrame | None = None,
        masks: np.ndarray | None = None,
    ) -> None:
        """Add a block: `patches` (n, h, w, 3) uint8 RGB, their `rows`, `concepts` (n,) each, `masks` (n, *mask_shape).

        Concepts that are not given are absent (NaN). Raises `InputError` on a wrong shape, dtype or concept name.
        """
        self._check(patches, rows, masks)
        table = complete_rows(rows)
        values = self._concept_block(len(table), concepts)
        with self._output.writing(patches.nbytes + (0 if masks is None else masks.nbytes)):
            self._extend(self._patches, patches)
            if self._mask_shape:
                self._extend(self._masks, masks if masks is not None and masks.any() else None, len(table))
        self._sums.append(patch_sums(patches))
        self._rows.append(table)
        self._concepts.append(values)
        self._count += len(table)

    def _check(self, patches: np.ndarray, rows: pd.DataFrame, masks: np.ndarray | None) -> None:
        expected = (len(rows), *self._size, 3)
        if patches.shape != expected or patches.dtype != np.uint8:
            raise InputError(f"{self._path}: a block is {patches.dtype} {patches.shape}; expected uint8 {expected}")
        wanted = (len(rows), *self._mask_shape)
        if masks is not None and (not self._mask_shape or masks.shape != wanted or masks.dtype.kind not in "iu"):
            raise InputError(f"{self._path}: masks are {masks.dtype} {masks.shape}; expected integers {wanted}")
        if masks is not None and masks.size and not 0 <= masks.min() <= masks.max() <= LARGEST_LABEL:
            held = f"{masks.min()} to {masks.max()}"
            raise InputError(f"{self._path}: masks hold {held}; number nuclei from 1 to {LARGEST_LABEL}")

    def _concept_block(self, count: int, concepts: Mapping[str, np.ndarray] | pd.DataFrame | None) -> np.ndarray:
        given = {} if concepts is None else {str(name): concepts[name] for name in concepts}
        if strange := sorted(set(given) - set(self._units)):
            raise InputError(f"{self._path}: concepts {', '.join(strange)} were not announced with their units")
        block = np.full((count, len(self._units)), np.nan)
        for column, name in enumerate(self._units):
            if name in given:
                block[:, column] = given[name]
        return block

    def _extend(self, dataset: h5py.Dataset, block: np.ndarray | None, count: int = 0) -> None:
        end = self._count + (count if block is None else len(block))
        dataset.resize(end, axis=0)
        if block is not None:
            dataset[self._count : end] = block

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is not None:
                raise error
            self._finish(self._output.file)

    def _finish(self, file: h5py.File) -> None:
        if not self._count:
            raise InputError(f"{self._path}: there is not a single patch to write; check the source")
        self._write_frame("rows", join_rows(self._rows), ROW_COLUMNS)
        self._write_concepts(np.concatenate(self._concepts))
        if self._origin is not None and len(self._origin):
            self._write_frame("origin", self._origin, ORIGIN_COLUMNS)
        write_column(self._output, "checksums", np.concatenate(self._sums))
        if self._attributes:
            add_group(self._output, "made")
        for name, text in self._attributes.items():
            write_text(self._output, f"made/{name}", text)
        with self._output.writing(0):
            set_text(file, "format", FORMAT)
            file.attrs["format_version"] = VERSION
            file.attrs["complete"] = True

    def _write_concepts(self, values: np.ndarray) -> None:
        add_group(self._output, "concepts")
        for column, (name, unit) in enumerate(self._units.items()):
            set_text(write_column(self._output, f"concepts/{name}", values[:, column]), "units", unit)

    def _write_frame(self, group: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
        add_group(self._output, group)
        for name in columns:
            text = pd.api.types.is_string_dtype(frame[name].dtype)
            values = text_column(frame, name) if text else frame[name].to_numpy()
            write_column(self._output, f"{group}/{name}", values)


def write_store(
    path: str | Path,
    patches: np.ndarray,
    rows: pd.DataFrame,
    concepts: pd.DataFrame | None = None,
    masks: np.ndarray | None = None,
) -> None:
    """Write a flat store in one go: `patches` (n, h, w, 3) uint8 RGB, `rows`, `concepts` with `attrs["units"]`.

    `masks`: (n, h, w) or (n, h, w, 6) integers. For what does not fit into memory use `StoreWriter`.
    """
    units = {} if concepts is None else {str(c): concepts.attrs.get("units", {}).get(c, "") for c in concepts}
    shape = () if masks is None else masks.shape[1:]
    with StoreWriter(path, patches.shape[1:3], units, shape) as writer:
        writer.append(patches, rows, concepts, masks)
