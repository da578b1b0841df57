"""A run of rows that lie in one dataset of one file."""

from dataclasses import dataclass

import h5py
import numpy as np

from data_prep.errors import InputError
from data_prep.store.handle import LazyFile


@dataclass(frozen=True)
class Part:
    """Rows `first` to `first + count` of a set of patches are the patches 0 to `count` of `dataset` in `file`."""

    file: LazyFile
    dataset: str
    first: int
    count: int
    masks: str | None = None

    def read_into(self, out: np.ndarray, start: int) -> None:
        """Fill `out` (n, h, w, 3) uint8 with the patches from `start` on, as they lie on disk."""
        self._read(self.dataset, out, start)

    def read_masks_into(self, out: np.ndarray, start: int) -> None:
        """Fill `out` (n, h, w) or (n, h, w, 6) uint16 with the masks from `start` on."""
        if self.masks is not None:
            self._read(self.masks, out, start)

    def _read(self, name: str, out: np.ndarray, start: int) -> None:
        try:
            dataset = self.file.dataset(name)
            if dataset.ndim == out.ndim - 1:
                out[0] = whole_levels(dataset[()], out.dtype)
            elif dataset.dtype == out.dtype:
                dataset.read_direct(out, np.s_[start : start + len(out)])
            else:
                out[:] = whole_levels(dataset[start : start + len(out)], out.dtype)
        except (OSError, RuntimeError, KeyError) as error:
            raise InputError(f"{self.file.path}: {name} cannot be read ({error}); make this slide again") from error
        except ValueError as error:
            raise InputError(f"{self.file.path}: {name}: {error}") from error


def whole_levels(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`values` as the unsigned integers of `dtype`; ValueError where that would lose something."""
    if values.dtype == dtype:
        return values
    with np.errstate(invalid="ignore"):
        whole = values.astype(dtype)
    if not np.array_equal(whole, values):
        raise ValueError(f"values are not whole numbers from 0 to {np.iinfo(dtype).max}; store them as {dtype}")
    return whole


def read_text(dataset: h5py.Dataset) -> np.ndarray:
    """A dataset of UTF-8 strings as an object array of `str`."""
    return dataset.asstr()[()]
