"""`python -m data_prep normalize`: give the patches of a store the stains of one reference."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data_prep.console import progress, require_seed, run, say, warn
from data_prep.files import require_destination, write_json
from data_prep.pictures import require_png, write_png

if TYPE_CHECKING:
    from data_prep.stain.job import Normalized
    from data_prep.store import Patches


def normalize(
    store: str,
    /,
    *,
    out: Path,
    method: Literal["reinhard", "macenko", "vahadane"] = "reinhard",
    reference: str = "slide-median",
    fit: Literal["patch", "slide"] = "patch",
    split: str = "",
    contact_sheet: Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Normalize the stains of a patch store and write it again, with the reference beside it (docs/stain.md).

    Rows, concepts, masks and roles stay as they are. Patches without stained tissue stay as they are, and are counted.

    Args:
        store: A patch file (.h5) of any layout, or several as name=path,name=path.
        out: The store to write; the reference goes into it, and to the same name with .stain.json.
        method: How colors are moved.
        reference: slide-median (over training slides), published (Macenko's), patch:N (a training row of the store),
            an image file, or a stain file (.json) of an earlier normalization or run.
        fit: Estimate the stains of each patch by itself, or of each slide together (Macenko and Vahadane).
        split: A split table that says which rows are for training (default: the roles in the store).
        contact_sheet: A picture (.png) of patches of each centre before and after.
        seed: Of the sample of patches of each slide.
        overwrite: Replace `out` where it exists.
        quiet: No progress bar.
    """
    from data_prep.stain.job import choose_reference, described, fit_slides, normalize_store, require_raw
    from data_prep.stain.reference import separator
    from data_prep.store import open_concepts, open_patches, require_apart

    require_seed(seed)
    require_destination(out, overwrite)
    require_destination(out.with_suffix(".stain.json"), overwrite)
    require_png(contact_sheet, "--contact-sheet")
    written = [path for path in (out, out.with_suffix(".stain.json"), contact_sheet) if path is not None]
    require_apart(written, [store, Path(reference), Path(split)])
    if fit == "slide":
        separator(method)
    bar = partial(progress, quiet=quiet)
    with open_patches(store) as patches:
        require_raw(patches)
        target = choose_reference(method, reference, patches, split, seed, partial(bar, label="reference"))
        slides = fit_slides(method, patches, seed, partial(bar, label="slides")) if fit == "slide" else {}
        result = normalize_store(patches, open_concepts(store), target, out, slides, partial(bar, label=out.name))
        write_json(out.with_suffix(".stain.json"), described(target, result.slides))
        _report(out, result)
        if contact_sheet is not None:
            _draw(patches, out, contact_sheet)


def _report(out: Path, result: "Normalized") -> None:
    from data_prep.store.words import counted

    flagged, unfitted = int(result.flags.sum()), sum(stains is None for stains in result.slides.values())
    say(f"{out}: {len(result.flags) - flagged} patches normalized, {flagged} without stained tissue left as they were")
    if unfitted:
        warn(f"too little stain to fit {counted(unfitted, 'slide')}: patches there were fitted one by one")
    say(f"{out.with_suffix('.stain.json')}: the reference")


def _draw(patches: "Patches", out: Path, sheet: Path) -> None:
    from data_prep.stain.sheet import contact_sheet
    from data_prep.store import open_patches

    with open_patches(out) as after:
        write_png(sheet, contact_sheet(patches, after))
    say(f"{sheet}: patches of each centre before and after")


def main(argv: Sequence[str]) -> None:
    """Parse `argv` and normalize."""
    run(normalize, "python -m data_prep normalize", argv)
