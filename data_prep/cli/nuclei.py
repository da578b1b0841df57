"""`python -m data_prep nuclei`: the nuclei of every patch of a store, as label maps beside the patches."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.console import progress, require_mpp, require_workers, run, say
from data_prep.files import require_destination
from data_prep.pictures import require_png, write_png

if TYPE_CHECKING:
    import numpy as np

SHOWN = 24  # patches on the overlay sheet


def nuclei(
    store: str,
    /,
    *,
    out: Path,
    segmenter: str = "classical",
    mpp: float | None = None,
    drop_border: bool = False,
    overlay: Path | None = None,
    workers: int = 1,
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Segment the nuclei of every patch and write the store again with their label maps (docs/nuclei.md).

    Rows, concepts and pixels stay as they are; masks that the store has already are replaced.

    Args:
        store: A patch file (.h5) of any layout, or several as name=path,name=path.
        out: The store to write.
        segmenter: classical (no weights); stardist:DIR, a StarDist model folder; masks:PATH, a folder of label images
            or a store with masks; geojson:DIR[@MPP], outlines from QuPath, CellViT or InstanSeg.
        mpp: Micrometres a pixel of the patches that do not know theirs (40x: 0.25, 20x: 0.5).
        drop_border: Leave out the nuclei that touch the border of their patch; they are counted otherwise.
        overlay: A picture (.png) of some patches with the contours of their nuclei.
        workers: Processes that segment beside each other.
        overwrite: Replace `out` where it exists.
        quiet: No progress bar.
    """
    from data_prep.nuclei import make_segmenter, store_nuclei
    from data_prep.store import open_concepts, open_patches, require_apart

    require_destination(out, overwrite)
    require_png(overlay, "--overlay")
    require_mpp(mpp)
    require_workers(workers)
    require_apart([out] if overlay is None else [out, overlay], [store, Path(segmenter.partition(":")[2])])
    with open_patches(store) as patches:
        find = make_segmenter(segmenter, drop_border, patches.attributes.get("extraction", "{}"))
        bar = partial(progress, label=out.name, quiet=quiet)
        counts = store_nuclei(patches, open_concepts(store), find, out, mpp, workers, bar)
    say(f"{out}: {_summary(counts)}")
    if overlay is not None:
        _draw(out, overlay)


def _summary(counts: "np.ndarray") -> str:
    from statistics import median

    middle, empty = median(counts.tolist()), int((counts == 0).sum())
    return f"{counts.sum()} nuclei in {len(counts)} patches (median {middle:g}), none in {empty}"


def _draw(out: Path, overlay: Path) -> None:
    """Patches evenly spread over the store, with their contours."""
    import numpy as np

    from data_prep.nuclei import contact_sheet
    from data_prep.store import open_patches

    with open_patches(out) as patches:
        chosen = np.unique(np.linspace(0, len(patches) - 1, SHOWN).astype(int))
        sheet = contact_sheet(patches.take(chosen), patches.take_masks(chosen))
    write_png(overlay, sheet)
    say(f"{overlay}: {len(chosen)} patches with the contours of their nuclei")


def main(argv: Sequence[str]) -> None:
    """Parse `argv` and segment."""
    run(nuclei, "python -m data_prep nuclei", argv)
