"""What an HDF5 file from anyone may hold: nothing outside the file is read through it."""

from functools import partial

import h5py
from h5py import h5, h5d, h5l, h5o

from data_prep.errors import InputError

_OUTSIDE = "points outside this file"
_LINKS = {h5l.TYPE_EXTERNAL: _OUTSIDE, h5l.TYPE_SOFT: "is a link, not the data itself"}
_REMEDY = "copy the data itself into the file"


def require_own(file: h5py.File) -> None:
    """Raise `InputError`, naming the file and the object, where `file` points elsewhere.

    External links, external raw storage and virtual datasets read whatever file the reader may read. Soft links are
    refused too: a walk passes them by, so what they stand for would be missing without a word. Links are looked at and
    never followed, each group is visited once, so links that run in a circle end too.
    """
    # h5py loses what a callback raises, so the complaint is returned; that ends the walk. In any other order HDF5 first
    # makes a table of a large group's links, and frees what it never filled where one of them is damaged.
    native = {"info": True, "order": h5.ITER_NATIVE}
    complaint = file.id.links.visit(_foreign_link, **native) or h5o.visit(
        file.id, partial(_foreign_dataset, file), **native
    )
    if complaint:
        raise InputError(f"{file.filename}: {complaint}")


def own_dataset(file: h5py.File, name: str) -> h5py.Dataset | None:
    """The dataset `name` of `file`, None where there is no such object.

    Raises `InputError` where it is no dataset, or lies outside the file.
    """
    if name not in file:
        return None
    node = file[name]
    if not isinstance(node, h5py.Dataset):
        raise InputError(f"{file.filename}: {name} is a {type(node).__name__.lower()}; expected a dataset")
    if node.file.filename != file.filename or _points_outside(node.id):
        raise InputError(f"{file.filename}: {name} {_OUTSIDE}; {_REMEDY}")
    return node


def _foreign_link(name: bytes, info: h5l.LinkInfo) -> str | None:
    if info.type == h5l.TYPE_HARD:
        return None
    return f"{_text(name)} {_LINKS.get(info.type, _OUTSIDE)}; {_REMEDY}"


def _foreign_dataset(file: h5py.File, name: bytes, info: h5o.ObjInfo) -> str | None:
    if info.type == h5o.TYPE_DATASET and _points_outside(h5d.open(file.id, name)):
        return f"{_text(name)} {_OUTSIDE}; {_REMEDY}"
    return None


def _points_outside(dataset: h5d.DatasetID) -> bool:
    how = dataset.get_create_plist()
    return how.get_layout() == h5d.VIRTUAL or how.get_external_count() > 0


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
