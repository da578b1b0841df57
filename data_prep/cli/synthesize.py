"""`python -m data_prep synthesize OUT.h5`: a synthetic lymph-node data set with known nuclei."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.console import progress, run, say
from data_prep.files import replacing, require_destination
from data_prep.pictures import require_png

PALETTE = 128  # colors of the contact sheet: no difference to be seen, a third of the file

if TYPE_CHECKING:
    import pandas as pd

    from data_prep.synthetic import Block, SyntheticSpec


def synthesize(
    out: Path,
    /,
    patches: int = 2400,
    patients: int = 40,
    size: int = 96,
    mpp: float = 0.5,
    shortcut: float = 0.9,
    difficulty: float = 0.5,
    seed: int = 0,
    contact_sheet: Path | None = None,
    quiet: bool = False,
    overwrite: bool = False,
) -> None:
    """Make a patch store of synthetic H&E lymph nodes: normal and tumor, five centres, the last one external.

    Beside the patches it holds roles, the true nuclei masks, and the true concepts ncount, narea, narea_um2,
    texture and chromatin_std. The same flags give the same patches.

    Args:
        out: patch store to write (.h5).
        patches: patches in all.
        patients: patients in all, at least 15; each belongs to one centre and one role.
        size: edge of a patch in pixels.
        mpp: micrometres a pixel; nuclei keep their physical size.
        shortcut: 0 to 1, how strongly the class goes with the centre in training and validation: at 1 the shares of
            tumor in centres 0 to 3 are .05, .95, .1 and .9, at 0 all are one half, as they always are in the tests.
        difficulty: 0 to 1, how much normal and tumor tissue look alike.
        seed: of every random draw.
        contact_sheet: also write a picture (.png) of the centres, normal left and tumor right.
        quiet: no progress bar.
        overwrite: replace a store that is there.
    """
    require_destination(out, overwrite)
    require_png(contact_sheet, "--contact-sheet")
    from data_prep.synthetic import BLOCK, SyntheticSpec, plan_rows
    from data_prep.synthetic import synthesize as generate

    spec = SyntheticSpec(patches, patients, size, mpp, shortcut, difficulty, seed)
    _write(out, spec, progress(generate(spec), "synthesize", -(-patches // BLOCK), quiet))
    say(_summary(plan_rows(spec)))
    say(f"{out}: {patches} patches of {size} x {size} px at {mpp} um/px")
    if contact_sheet:
        _draw(contact_sheet, spec)


def _write(out: Path, spec: "SyntheticSpec", blocks: "Iterable[Block]") -> None:
    from data_prep.store import StoreWriter
    from data_prep.synthetic import CONCEPTS

    shape = (spec.size, spec.size)
    with StoreWriter(out, shape, concepts=CONCEPTS, mask_shape=shape) as writer:
        for block in blocks:
            writer.append(block.patches, block.rows, block.concepts, block.masks)


def _summary(rows: "pd.DataFrame") -> str:
    """Patches and patients by role, centre and class, as a table."""
    groups = rows.groupby(["role", "centre"], sort=False)
    table = groups["label"].agg(normal=lambda label: int((label == 0).sum()), tumor="sum")
    table["patients"] = groups["patient"].nunique()
    return table.sort_index().reset_index().to_string(index=False)


def _draw(path: Path, spec: "SyntheticSpec") -> None:
    import io

    from PIL import Image

    from data_prep.synthetic import contact_sheet

    buffer = io.BytesIO()
    Image.fromarray(contact_sheet(spec)).quantize(PALETTE).save(buffer, format="PNG", optimize=True)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    say(f"{path}: contact sheet, one row a centre, normal left, tumor right")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command with the flags `argv`."""
    run(synthesize, "python -m data_prep synthesize", argv)
