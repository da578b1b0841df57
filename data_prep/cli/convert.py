"""`python -m data_prep convert`: any images or layout into the flat store, and back."""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Literal

from data_prep.console import progress, run, say, warn
from data_prep.errors import InputError
from data_prep.files import require_destination


def convert(
    source: str,
    out: Path,
    /,
    *,
    to: Literal["flat", "original"] = "flat",
    size: int | None = None,
    fit: Literal["crop", "resize"] = "crop",
    label_map: str = "",
    concept_columns: str = "",
    concepts: Path | None = None,
    channel_order: Literal["auto", "rgb", "bgr"] = "auto",
    only: str = "",
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Make a patch store from a table of images or from HDF5 patches of any layout, or go back to the original layout.

    Args:
        source: A table (.csv: path,label[,patient,slide,centre,role,x,y,mpp,<concept>...]; paths relative to it), a
            patch file (.h5), or several as name=path,name=path.
        out: The file to write.
        to: "flat" for our store, "original" to turn a store made of an original file back into it, without loss.
        size: Side of the patches in pixels (tables only; default: the images' own, which must then be equal).
        fit: How an image becomes `size`: its middle, or its shorter side scaled and then its middle.
        label_map: What other labels mean, as tumour=tumor,benign=normal,unknown= (nothing: unlabelled).
        concept_columns: Columns of the table to take as concepts, comma-separated (default: all numeric ones).
        concepts: A concept file (.csv, or .h5 with /source/entry/patch_no/measure) to put into the store.
        channel_order: Channel order of original layouts; auto is BGR for Camelyon, RGB for PanNuke.
        only: The one source to write back, where a store holds several (with --to original).
        overwrite: Replace `out` where it exists.
        quiet: No progress bar.
    """
    require_destination(out, overwrite)
    is_table = source.lower().endswith(".csv")
    _require_apart(source, out, concepts)
    given: dict[str, object] = {
        "size": size,
        "fit": fit != "crop",
        "label-map": label_map,
        "concept-columns": concept_columns,
    }
    given |= {"concepts": concepts, "channel-order": channel_order != "auto", "only": only}
    _require_uses(source, is_table, to == "flat", {flag for flag, value in given.items() if value})
    bar = partial(progress, label=out.name, quiet=quiet)
    if is_table:
        _from_table(source, out, bar, label_map, concept_columns, concepts, size, fit)
    elif to == "original":
        _to_original(source, out, bar, only)
    else:
        _from_patches(source, out, bar, channel_order, concepts)


Bar = Callable[[Iterable[int]], Iterable[int]]


def _require_apart(source: str, out: Path, concepts: Path | None) -> None:
    from data_prep.store.opening import require_apart

    require_apart([out], [source, str(concepts or "")])


def _require_uses(source: str, is_table: bool, flat: bool, given: Set[str]) -> None:
    """Raise `InputError` where one of the flags `given` would do nothing."""
    if is_table and not flat:
        raise InputError(f"{source}: --to original is for stores; leave it out")
    uses = {
        "tables": (is_table, {"size", "fit", "label-map", "concept-columns"}),
        "stores that become flat": (flat and not is_table, {"channel-order"}),
        "what becomes flat": (flat, {"concepts"}),
        "--to original": (not flat, {"only"}),
    }
    for what, (fits, flags) in uses.items():
        if not fits and flags & given:
            raise InputError(f"{source}: --{min(flags & given)} is for {what}; leave it out")


def _from_table(
    source: str,
    out: Path,
    bar: Bar,
    label_map: str,
    columns: str,
    concepts: Path | None,
    size: int | None,
    fit: Literal["crop", "resize"],
) -> None:
    from data_prep.store.convert import store_table
    from data_prep.store.images import warn_of_changes
    from data_prep.store.table import parse_label_map, read_table

    chosen = [name.strip() for name in columns.split(",") if name.strip()]
    table = read_table(source, parse_label_map(label_map), chosen)
    if concepts is not None:
        table = table.with_concepts(concepts)
    if table.ignored:
        say(f"ignored columns: {', '.join(table.ignored)}")
    warn_of_changes(store_table(table, out, size, fit, bar))
    _report(out)


def _from_patches(
    source: str, out: Path, bar: Bar, order: Literal["auto", "rgb", "bgr"], concepts: Path | None
) -> None:
    from data_prep.store.attributes import differing_attributes
    from data_prep.store.concepts import add_concepts, open_concepts
    from data_prep.store.convert import store_patches
    from data_prep.store.opening import open_patches

    with open_patches(source, channel_order=order) as patches:
        for name in differing_attributes(patches.files):
            warn(f"the files differ in what they say of their {name}: it is not carried over")
        table = open_concepts(source)
        if concepts is not None:
            table = add_concepts(table, concepts, patches.rows)
        store_patches(patches, table, out, bar)
    _report(out)


def _to_original(source: str, out: Path, bar: Bar, only: str) -> None:
    from data_prep.store.opening import open_patches
    from data_prep.store.wayback import store_original

    with open_patches(source, channels="stored") as patches:
        store_original(patches, out, only, bar)
    say(f"{out}: written in the original layout")


def _report(out: Path) -> None:
    """One line that says what the new store holds."""
    from data_prep.store import open_concepts, open_patches

    with open_patches(out) as patches:
        labels = patches.rows["label"]
        counts = f"{(labels == 0).sum()} normal, {(labels == 1).sum()} tumor, {(labels == -1).sum()} unlabelled"
        say(f"{out}: {len(patches)} patches of {patches.size[0]}x{patches.size[1]} ({counts})")
    say(f"concepts: {', '.join(open_concepts(out)) or 'none'}")


def main(argv: Sequence[str]) -> None:
    """Parse `argv` and convert."""
    run(convert, "python -m data_prep convert", argv)
