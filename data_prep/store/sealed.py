"""Data as our own files hold it, so that a flipped bit is noticed.

HDF5 checks its structure by itself in newer formats (`hdf5_output` with `checked`), but neither the heaps in which
texts of any length lie nor the data. So texts have a fixed length here, and every dataset has a CRC-32.
"""

import zlib

import h5py
import numpy as np
from h5py import h5g, h5p

from data_prep.errors import InputError
from data_prep.store.output import Output
from data_prep.store.part import read_text
from data_prep.store.sums import DAMAGED

CRC = "crc32"


def add_group(output: Output, name: str, ordered: bool = False) -> None:
    """Make the group `name`; `ordered`: its members come in the order in which they were added, not by name."""
    how = h5p.create(h5p.GROUP_CREATE)
    how.set_obj_track_times(False)  # equal stores are equal files
    if ordered:
        how.set_link_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
    with output.writing(0):
        h5g.create(output.file.id, name.encode(), gcpl=how)


def write_column(output: Output, name: str, values: np.ndarray) -> h5py.Dataset:
    """Write `values` (n,) as the dataset `name`: numbers and bools as they are, objects as UTF-8 of one length.

    Raises `InputError` for a text that is none, as a file name in another encoding.
    """
    values = _encoded(name, values) if values.dtype == object else values
    with output.writing(values.nbytes):
        dataset = output.file.create_dataset(name, data=values)
        dataset.attrs[CRC] = np.uint32(zlib.crc32(values.tobytes()))
    return dataset


def _encoded(name: str, texts: np.ndarray) -> np.ndarray:
    try:
        encoded = [text.encode() for text in texts.tolist()]
    except UnicodeEncodeError as error:
        raise InputError(f"{name}: {error.object!r} is no Unicode text; rename it") from error
    return np.array(encoded, h5py.string_dtype("utf-8", max([1, *map(len, encoded)])))


def write_text(output: Output, name: str, text: str) -> None:
    """Write `text` as the dataset `name` of one value."""
    write_column(output, name, np.array([text], dtype=object))


def text_in(dataset: h5py.Dataset) -> str:
    """The text in a `dataset` of one; ValueError or TypeError where it holds something else."""
    (text,) = np.ravel(read_text(dataset)).tolist()
    return text


def set_text(node: h5py.HLObject, name: str, text: str) -> None:
    """Set the attribute `name` of `node` to `text`; `attribute` reads it."""
    node.attrs[name] = _encoded(name, np.array([text], dtype=object))[0:1].reshape(())


def attribute(node: h5py.HLObject, name: str) -> object:
    """The single value of an attribute, texts as `str`; None where it is absent or no single value."""
    value = node.attrs.get(name)
    if np.ndim(value) != 0:
        return None
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def damage(dataset: h5py.Dataset) -> str:
    """What is wrong with the values of `dataset`, "" where nothing is, or it has no checksum (as of other programs)."""
    known = dataset.attrs.get(CRC)
    if known is None or int(known) == zlib.crc32(dataset[()].tobytes()):
        return ""
    return f"{dataset.name.lstrip('/')} {DAMAGED}"
