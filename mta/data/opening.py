"""One door to everything that a network is trained on or applied to."""

from typing import Any

from data_prep.embeddings import Embeddings, is_embeddings, open_embeddings
from data_prep.errors import InputError
from data_prep.store import open_patches


def open_input(spec: str, stored: bool = False) -> Any:
    """The patches or embeddings that `spec` names: `Patches`, or `Embeddings` where it names those.

    `stored`: channels as the original files held them. Raises `InputError` for files that cannot be read.
    """
    if is_embeddings(spec):
        return open_embeddings(spec)
    return open_patches(spec, channels="stored" if stored else "rgb")


def input_shape(store: Any) -> tuple[int, ...]:
    """The shape of one input: (height, width, 3) pixels of a patch, or (width,) numbers of an embedding."""
    return (store.width,) if isinstance(store, Embeddings) else (*store.size, 3)


def require_shape(store: Any, wanted: tuple[int, ...]) -> None:
    """Raise `InputError` unless `store` has inputs of the shape `wanted`, which a network takes."""
    found, files = input_shape(store), ", ".join(map(str, store.files[:3]))
    if len(wanted) == 1 and len(found) == 3:
        raise InputError(
            f"{files}: holds images, the run was trained on embeddings of {wanted[0]} numbers; give embeddings of "
            "these patches by the same encoder (docs/embeddings.md)"
        )
    if len(wanted) == 3 and len(found) == 1:
        raise InputError(f"{files}: holds embeddings, the run was trained on images; give it patches or images")
    if len(wanted) == 1 and wanted != found:
        raise InputError(
            f"{files}: embeddings of {found[0]} numbers, the run was trained on {wanted[0]}; give those of its encoder"
        )
    if wanted != found:
        raise InputError(
            f"{files}: the patches are {found[0]} x {found[1]} pixels, the model takes {wanted[0]} x {wanted[1]}; make "
            f"the store again from its images with --size {wanted[0]}"
        )
